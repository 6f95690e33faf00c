"""API keys over REST."""

from typing import Any, Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.key_rules import MOST_DOMAINS, MOST_NETWORKS
from accounts.models import ApiKey
from accounts.operations import create_api_key, revoke_api_key
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.ids import find
from mailhost.api.lists import Listing
from mailhost.api.schema import describe
from mailhost.api.scopes import SCOPES
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Text
from tenants.api.filters import OF_TENANT
from tenants.references import PREFIX as TENANT_PREFIX
from tenants.references import tenant_of_body

PREFIX = "key"
LISTING = Listing(
    orders={"created_at": ("pk",), "name": ("name", "pk")},
    filters=(OF_TENANT,),
    search=lambda rows, words: rows.filter(name__icontains=words),
    searched="the name",
)


class KeysDomain(Answer):
    """A domain that a key is bound to."""

    id = serializers.SerializerMethodField()
    name = serializers.CharField()

    def get_id(self, domain: dict[str, Any]) -> str:
        return f"dom_{domain['uid']}"


class ApiKeyAnswer(Answer):
    """An API key. It reaches what is at or below `bound_to_id`, and of that the `domains` alone if there are any.
    `prefix` is how its text begins after `mh_live_` or `mh_test_`; the rest is shown once, when it is made."""

    volatile = frozenset({"last_used_at", "last_used_address"})

    id = PublicId(PREFIX)
    object = ObjectName("api_key")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    bound_to_id = PublicId(TENANT_PREFIX, source="root")
    name = serializers.CharField()
    mode = serializers.SerializerMethodField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    domains = KeysDomain(many=True)
    networks = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_address = serializers.CharField()

    def get_mode(self, key: ApiKey) -> Literal["live", "test"]:
        return "test" if key.is_test else "live"


class IssuedApiKeyAnswer(ApiKeyAnswer):
    """A key that was just made, with its text: it is not shown again."""

    volatile = ApiKeyAnswer.volatile | {"key"}

    key = serializers.SerializerMethodField()

    def get_key(self, key: ApiKey) -> str:
        return self.context["text"]


class NewApiKey(Shape):
    """`scopes` are at most the asking key's own; who may write may read. `tenant_id`, whose key it will be, and
    `bound_to_id`, what it reaches, are the asking key's unless given. A key of the mode `test` has every change checked
    and answered, and none done."""

    name = Text()
    scopes = serializers.ListField(child=Text(), max_length=len(SCOPES))
    tenant_id = Text(required=False)
    bound_to_id = Text(required=False)
    domains = serializers.ListField(child=Text(), required=False, max_length=MOST_DOMAINS)
    networks = serializers.ListField(child=Text(), required=False, max_length=MOST_NETWORKS)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    mode = serializers.ChoiceField(choices=["live", "test"], required=False)


class ApiKeys(Endpoint):
    """The keys of a tenant and of every tenant below it that are not revoked."""

    actions = {"GET": "keys.list", "POST": create_api_key.action}
    listing = LISTING
    body_names = {"bound_to": "bound_to_id", "is_test": "mode"}

    @describe("list_api_keys", "List API keys", answer=ApiKeyAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(_keys, ApiKeyAnswer)

    @describe(
        "create_api_key", "Create an API key", body=NewApiKey, answer=IssuedApiKeyAnswer, status=201, changes=True
    )
    def post(self, request: Request) -> Response:
        fields = self.body(NewApiKey)
        for name in ("tenant", "bound_to"):
            if f"{name}_id" in fields:
                fields[name] = tenant_of_body(fields.pop(f"{name}_id"), f"{name}_id")
        fields["is_test"] = fields.pop("mode", "live") == "test"
        key, text = create_api_key(request.actor, **fields)
        return created(IssuedApiKeyAnswer(key, context={"text": text}), "api-key")


class OneApiKey(Endpoint):
    """One key, by id."""

    actions = {"GET": "keys.list", "DELETE": revoke_api_key.action}

    @describe("get_api_key", "Show an API key", answer=ApiKeyAnswer, names_object=True)
    def get(self, request: Request, key: str) -> Response:
        return Response(ApiKeyAnswer(find(_keys, key, prefix=PREFIX)).data)

    @describe("revoke_api_key", "Revoke an API key", status=204, names_object=True, changes=True)
    def delete(self, request: Request, key: str) -> Response:
        revoke_api_key(request.actor, key=find(_keys, key, prefix=PREFIX))
        return gone()


def _keys():
    return ApiKey.objects.filter(revoked_at=None).select_related("tenant", "bound_to").order_by("-pk")
