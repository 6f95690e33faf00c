"""Webhook endpoints and their deliveries over REST."""

import json

from django.db.models import Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint as Address
from mailhost.api.endpoint import created, gone
from mailhost.api.lists import Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Switch, Text
from tenants.api.filters import OF_TENANT
from tenants.references import PREFIX as TENANT_PREFIX
from webhooks.events import TYPES
from webhooks.models import Delivery, Endpoint, State, states
from webhooks.operations import (
    create_endpoint,
    delete_endpoint,
    lock_endpoint,
    redeliver,
    rotate_secret,
    send_test,
    update_endpoint,
)
from webhooks.references import DELIVERY_PREFIX, PREFIX, deliveries_of, find_delivery, find_endpoint, listed_endpoints

LISTING = Listing(
    orders={"created_at": ("pk",)},
    filters=(OF_TENANT,),
    search=lambda rows, words: rows.filter(Q(url__icontains=words) | Q(description__icontains=words)),
    searched="the URL or the description",
)
DELIVERIES = Listing(
    # The newest come first.
    orders={"attempted": ("-pk",), "created_at": ("pk",)},
    filters=(one_of("state", "Only those that stand so.", {state: {"state": state} for state in State.values}),),
    search=lambda rows, words: rows.filter(message__type__contains=words),
    searched="the event's type",
    words_of=str.lower,
)


class WebhookEndpointAnswer(Answer):
    """An address that is told what happens in its tenant and below. `event_types` empty: everything."""

    id = PublicId(PREFIX)
    object = ObjectName("webhook_endpoint")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.ChoiceField(choices=TYPES), source="types")
    enabled = serializers.BooleanField(source="is_enabled")
    disabled_reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class IssuedWebhookEndpointAnswer(WebhookEndpointAnswer):
    """An endpoint with its new signing secret: it is not shown again."""

    volatile = frozenset({"secret"})

    secret = serializers.SerializerMethodField()

    def get_secret(self, endpoint: Endpoint) -> str:
        return self.context["secret"]


class AttemptAnswer(Answer):
    """One attempt. `status` is the HTTP status that came back, 0 when nothing did; `detail` is how the answer begins,
    or what went wrong."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField()
    ms = serializers.IntegerField()
    detail = serializers.CharField()


class DeliveryAnswer(Answer):
    """One message on its way to an endpoint. `message_id` is what the header `webhook-id` says; a message that is
    sent again keeps it."""

    id = PublicId(DELIVERY_PREFIX)
    object = ObjectName("delivery")
    message_id = serializers.SerializerMethodField()
    event_type = serializers.CharField(source="message.type")
    state = serializers.ChoiceField(choices=states())
    payload = serializers.SerializerMethodField()
    attempts = AttemptAnswer(many=True, source="log")
    next_attempt_at = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_message_id(self, delivery: Delivery) -> str:
        return f"msg_{delivery.message.uid}"

    def get_payload(self, delivery: Delivery) -> dict:
        return json.loads(delivery.message.body)

    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        if delivery.state != State.PENDING:
            return None
        return serializers.DateTimeField().to_representation(delivery.due_at)


class NewWebhookEndpoint(Shape):
    url = Text()
    description = Text(required=False, allow_blank=True)
    event_types = serializers.ListField(child=Text(), required=False, max_length=100)


class WebhookEndpointChange(Shape):
    url = Text(required=False)
    description = Text(required=False, allow_blank=True)
    event_types = serializers.ListField(child=Text(), required=False, max_length=100)
    enabled = Switch(required=False)


class WebhookEndpoints(Address):
    """The endpoints of a tenant and of every tenant below it."""

    actions = {"GET": "webhooks.list", "POST": create_endpoint.action}
    listing = LISTING
    body_names = {"types": "event_types"}

    @describe("list_webhook_endpoints", "List webhook endpoints", answer=WebhookEndpointAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(listed_endpoints, WebhookEndpointAnswer)

    @describe(
        "create_webhook_endpoint",
        "Create a webhook endpoint",
        body=NewWebhookEndpoint,
        answer=IssuedWebhookEndpointAnswer,
        status=201,
        changes=True,
    )
    def post(self, request: Request) -> Response:
        fields = self.body(NewWebhookEndpoint)
        endpoint, secret = create_endpoint(request.actor, types=fields.pop("event_types", ()), **fields)
        return created(_issued(endpoint, secret), "api-webhook-endpoint")


class OfEndpoint(Address):
    """What changes one endpoint does so under its lock."""

    def lock(self, request: Request, webhook: str) -> None:
        lock_endpoint(request.actor, find_endpoint(webhook))


class OneWebhookEndpoint(OfEndpoint):
    """One endpoint, by id."""

    actions = {"GET": "webhooks.list", "PATCH": update_endpoint.action, "DELETE": delete_endpoint.action}
    body_names = {"types": "event_types"}

    @describe("get_webhook_endpoint", "Show a webhook endpoint", answer=WebhookEndpointAnswer, names_object=True)
    def get(self, request: Request, webhook: str) -> Response:
        return Response(WebhookEndpointAnswer(find_endpoint(webhook)).data)

    @describe(
        "update_webhook_endpoint",
        "Change a webhook endpoint",
        body=WebhookEndpointChange,
        answer=WebhookEndpointAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, webhook: str) -> Response:
        row = find_endpoint(webhook)
        change = self.body(WebhookEndpointChange)
        if "event_types" in change:
            change["types"] = change.pop("event_types")
        if change:
            update_endpoint(request.actor, endpoint=row, **change)
        return Response(WebhookEndpointAnswer(find_endpoint(webhook)).data)

    @describe("delete_webhook_endpoint", "Delete a webhook endpoint", status=204, names_object=True, changes=True)
    def delete(self, request: Request, webhook: str) -> Response:
        delete_endpoint(request.actor, endpoint=find_endpoint(webhook))
        return gone()


class WebhookSecret(OfEndpoint):
    """A new signing secret; for a day the former one signs beside it."""

    shows = OneWebhookEndpoint
    actions = {"POST": rotate_secret.action}

    @describe(
        "rotate_webhook_secret",
        "Rotate the signing secret",
        answer=IssuedWebhookEndpointAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, webhook: str) -> Response:
        row = find_endpoint(webhook)
        self.body(Nothing)
        return Response(_issued(*rotate_secret(request.actor, endpoint=row)).data)


class WebhookTest(OfEndpoint):
    shows = OneWebhookEndpoint
    actions = {"POST": send_test.action}

    @describe("send_test_webhook", "Send a test event", answer=DeliveryAnswer, names_object=True, changes=True)
    def post(self, request: Request, webhook: str) -> Response:
        row = find_endpoint(webhook)
        self.body(Nothing)
        return Response(DeliveryAnswer(send_test(request.actor, endpoint=row)).data)


class WebhookDeliveries(Address):
    """What an endpoint was told in the last 30 days, newest first."""

    actions = {"GET": "webhooks.list"}
    listing = DELIVERIES

    @describe("list_deliveries", "List deliveries", answer=DeliveryAnswer, names_object=True, lists=True)
    def get(self, request: Request, webhook: str) -> Response:
        return self.page(deliveries_of, DeliveryAnswer, of={"endpoint": find_endpoint(webhook).pk})


class OneDelivery(Address):
    """One delivery, by id."""

    actions = {"GET": "webhooks.list"}

    @describe("get_delivery", "Show a delivery", answer=DeliveryAnswer, names_object=True)
    def get(self, request: Request, webhook: str, delivery: str) -> Response:
        return Response(DeliveryAnswer(find_delivery(find_endpoint(webhook), delivery)).data)


class Redelivery(Address):
    actions = {"POST": redeliver.action}

    @describe("redeliver", "Send a message again", answer=DeliveryAnswer, names_object=True, changes=True)
    def post(self, request: Request, webhook: str, delivery: str) -> Response:
        row = find_delivery(find_endpoint(webhook), delivery)
        self.body(Nothing)
        return Response(DeliveryAnswer(redeliver(request.actor, delivery=row)).data)


def _issued(endpoint: Endpoint, secret: str) -> IssuedWebhookEndpointAnswer:
    return IssuedWebhookEndpointAnswer(listed_endpoints().get(pk=endpoint.pk), context={"secret": secret})
