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
from tenants.api.usage import FiguresAnswer, LimitAnswer, OwnUsage
from tenants.models import kinds
from tenants.references import PREFIX
from tenants.usage import limits_with_use, usage_of


class KeyInUse(Answer):
    id = PublicId("key")
    name = serializers.CharField()
    prefix = serializers.CharField()
    mode = serializers.SerializerMethodField()

    def get_mode(self, key: Any) -> Literal["live", "test"]:
        return "test" if key.is_test else "live"


class OwnUse(Answer):
    """What is used: `own` by the tenant itself, `total` together with everybody below it."""

    own = FiguresAnswer()
    total = FiguresAnswer()


class Me(Answer):
    """The key that asks, the tenant whose subtree it reaches, what it may do, and what that tenant may use and uses.
    `limits` and `usage` are null for a key without the scope `usage:read`."""

    object = ObjectName("me")
    tenant_id = PublicId(PREFIX, source="key.root")
    tenant_name = serializers.CharField(source="key.root.name")
    tenant_kind = serializers.ChoiceField(choices=kinds(), source="key.root.kind")
    key = KeyInUse()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), source="key.scopes")
    permissions = serializers.ListField(child=serializers.CharField())
    limits = LimitAnswer(many=True, allow_null=True)
    usage = OwnUse(allow_null=True)


class WhoAmI(Endpoint):
    actions = {"GET": ANY_ACTOR}

    @describe("get_me", "Show whose key this is", answer=Me)
    def get(self, request: Request) -> Response:
        actor, tenant = request.actor, request.auth.root
        me = {"key": request.auth, "permissions": sorted(actor.permissions), "limits": None, "usage": None}
        if actor.may(OwnUsage.actions["GET"]):
            use = usage_of(tenant)
            me |= {"limits": limits_with_use(tenant, use), "usage": use}
        return Response(Me(me).data)
