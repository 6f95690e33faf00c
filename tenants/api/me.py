"""Who is asking."""

from typing import Any, Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from mailhost.api.scopes import SCOPES
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.models import kinds
from tenants.references import PREFIX


class KeyInUse(Answer):
    id = PublicId("key")
    name = serializers.CharField()
    prefix = serializers.CharField()
    mode = serializers.SerializerMethodField()

    def get_mode(self, key: Any) -> Literal["live", "test"]:
        return "test" if key.is_test else "live"


class Me(Answer):
    """The key that asks, the tenant whose subtree it reaches, and what it may do."""

    object = ObjectName("me")
    tenant_id = PublicId(PREFIX, source="key.root")
    tenant_name = serializers.CharField(source="key.root.name")
    tenant_kind = serializers.ChoiceField(choices=kinds(), source="key.root.kind")
    key = KeyInUse()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), source="key.scopes")
    permissions = serializers.ListField(child=serializers.CharField())


class WhoAmI(Endpoint):
    actions = {"GET": ANY_ACTOR}

    @describe("get_me", "Show whose key this is", answer=Me)
    def get(self, request: Request) -> Response:
        actor = request.actor
        me = {"key": request.auth, "permissions": sorted(actor.permissions)}
        return Response(Me(me).data)
