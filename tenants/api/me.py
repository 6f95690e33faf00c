"""Who is asking."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.models import kinds
from tenants.references import PREFIX


class KeyInUse(Answer):
    id = PublicId("key")
    name = serializers.CharField()
    prefix = serializers.CharField()


class Me(Answer):
    """The key that asks, its tenant, and what it may do."""

    object = ObjectName("me")
    tenant_id = PublicId(PREFIX, source="key.tenant")
    tenant_name = serializers.CharField(source="key.tenant.name")
    tenant_kind = serializers.ChoiceField(choices=kinds(), source="key.tenant.kind")
    key = KeyInUse()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class WhoAmI(Endpoint):
    actions = {"GET": ANY_ACTOR}

    @describe("get_me", "Show whose key this is", answer=Me)
    def get(self, request: Request) -> Response:
        actor = request.actor
        me = {"key": request.auth, "role": actor.role, "permissions": sorted(actor.permissions)}
        return Response(Me(me).data)
