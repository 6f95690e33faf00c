"""API keys over REST."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.operations import create_api_key, revoke_api_key
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.ids import find
from mailhost.api.pagination import CursorList
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Text
from tenants.models import roles
from tenants.references import PREFIX as TENANT_PREFIX
from tenants.references import tenant_of_body

PREFIX = "key"


class ApiKeyAnswer(Answer):
    """An API key. `prefix` is how its text begins after `mh_live_`; the rest is shown once, when it is made."""

    id = PublicId(PREFIX)
    object = ObjectName("api_key")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    name = serializers.CharField()
    prefix = serializers.CharField()
    role = serializers.ChoiceField(choices=roles())
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class IssuedApiKeyAnswer(ApiKeyAnswer):
    """A key that was just made, with its text: it is not shown again."""

    key = serializers.SerializerMethodField()

    def get_key(self, key: ApiKey) -> str:
        return self.context["text"]


class NewApiKey(Shape):
    """`role` may not exceed the asking key's own; `tenant_id` is the asking key's unless given."""

    name = Text()
    role = Text(required=False)
    tenant_id = Text(required=False)


class ApiKeys(Endpoint):
    """The keys of a tenant and of every tenant below it that are not revoked."""

    actions = {"GET": "keys.list", "POST": create_api_key.action}
    filters = CursorList.parameters

    @describe("list_api_keys", "List API keys", answer=ApiKeyAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(_keys(), ApiKeyAnswer)

    @describe(
        "create_api_key", "Create an API key", body=NewApiKey, answer=IssuedApiKeyAnswer, status=201, changes=True
    )
    def post(self, request: Request) -> Response:
        fields = self.body(NewApiKey)
        if "tenant_id" in fields:
            fields["tenant"] = tenant_of_body(fields.pop("tenant_id"), "tenant_id")
        key, text = create_api_key(request.actor, **fields)
        return created(IssuedApiKeyAnswer(key, context={"text": text}), "api-key")


class OneApiKey(Endpoint):
    """One key, by id."""

    actions = {"GET": "keys.list", "DELETE": revoke_api_key.action}

    @describe("get_api_key", "Show an API key", answer=ApiKeyAnswer, names_object=True)
    def get(self, request: Request, key: str) -> Response:
        return Response(ApiKeyAnswer(find(_keys(), key, prefix=PREFIX)).data)

    @describe("revoke_api_key", "Revoke an API key", status=204, names_object=True, changes=True)
    def delete(self, request: Request, key: str) -> Response:
        revoke_api_key(request.actor, key=find(_keys(), key, prefix=PREFIX))
        return gone()


def _keys():
    return ApiKey.objects.filter(revoked_at=None).select_related("tenant").order_by("-pk")
