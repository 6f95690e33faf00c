"""Tenants over REST, and who is asking."""

from typing import Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint
from mailhost.api.ids import public_id
from mailhost.api.pagination import CursorList
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.models import Tenant, kinds
from tenants.references import PREFIX, find_tenant, live_tenants


class TenantAnswer(Answer):
    """A tenant. `parent_id` is null at the root of what the key may see."""

    id = PublicId(PREFIX)
    object = ObjectName("tenant")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=kinds())
    parent_id = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_parent_id(self, tenant: Tenant) -> str | None:
        # Who is above the key's own tenant is not the tenant's to see.
        is_root = tenant.path == self.context["root"]
        return None if is_root else public_id(PREFIX, tenant.parent)

    def get_status(self, tenant: Tenant) -> Literal["active", "suspended"]:
        return "active" if tenant.may_sign_in and tenant.may_send and tenant.may_receive else "suspended"


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


class Tenants(Endpoint):
    """The key's own tenant and every tenant below it."""

    actions = {"GET": "tenants.list"}
    filters = CursorList.parameters

    @describe("list_tenants", "List tenants", answer=TenantAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(live_tenants(), TenantAnswer, root=request.user.tenant_path)


class OneTenant(Endpoint):
    """One tenant, by id."""

    actions = {"GET": "tenants.list"}

    @describe("get_tenant", "Show a tenant", answer=TenantAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        return Response(TenantAnswer(row, context={"root": request.user.tenant_path}).data)


class WhoAmI(Endpoint):
    actions = {"GET": ANY_ACTOR}

    @describe("get_me", "Show whose key this is", answer=Me)
    def get(self, request: Request) -> Response:
        actor = request.user
        me = {"key": request.auth, "role": actor.role, "permissions": sorted(actor.permissions)}
        return Response(Me(me).data)
