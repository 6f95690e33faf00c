"""Tenants over REST, and who is asking."""

from typing import Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint, created
from mailhost.api.ids import public_id
from mailhost.api.pagination import CursorList
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Text
from tenants.models import Kind, Tenant, kinds
from tenants.operations import create_tenant, resume_tenant, suspend_tenant
from tenants.references import PREFIX, find_tenant, live_tenants, tenant_of_body


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


class NewTenant(Shape):
    """`parent_id` is the asking key's tenant unless given."""

    name = Text()
    kind = Text(required=False)
    parent_id = Text(required=False)


class Suspension(Shape):
    """`blocks` is everything unless given: sign_in, sending, receiving. The customer reads the `reason`."""

    reason = Text()
    blocks = serializers.ListField(child=Text(), required=False, max_length=10)


class Tenants(Endpoint):
    """The key's own tenant and every tenant below it."""

    actions = {"GET": "tenants.list", "POST": create_tenant.action}
    filters = CursorList.parameters

    @describe("list_tenants", "List tenants", answer=TenantAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(live_tenants(), TenantAnswer, root=request.actor.tenant_path)

    @describe("create_tenant", "Create a tenant", body=NewTenant, answer=TenantAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewTenant)
        parent = tenant_of_body(fields.pop("parent_id", None) or public_id(PREFIX, request.auth.tenant), "parent_id")
        tenant = create_tenant(request.actor, parent=parent, **{"kind": Kind.CUSTOMER, **fields})
        return created(shown(request, tenant), "api-tenant")


class OneTenant(Endpoint):
    """One tenant, by id."""

    actions = {"GET": "tenants.list"}

    @describe("get_tenant", "Show a tenant", answer=TenantAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        return Response(shown(request, find_tenant(tenant)).data)


class TenantSuspension(Endpoint):
    """Blocks a tenant and everything below it, as one act."""

    actions = {"POST": suspend_tenant.action}

    @describe(
        "suspend_tenant", "Suspend a tenant", body=Suspension, answer=TenantAnswer, names_object=True, changes=True
    )
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        return Response(shown(request, suspend_tenant(request.actor, tenant=row, **self.body(Suspension))).data)


class TenantResumption(Endpoint):
    """Lifts a tenant's own suspension; what is blocked above stays blocked."""

    actions = {"POST": resume_tenant.action}

    @describe("resume_tenant", "Resume a suspended tenant", answer=TenantAnswer, names_object=True, changes=True)
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        self.body(Nothing)
        return Response(shown(request, resume_tenant(request.actor, tenant=row)).data)


class WhoAmI(Endpoint):
    actions = {"GET": ANY_ACTOR}

    @describe("get_me", "Show whose key this is", answer=Me)
    def get(self, request: Request) -> Response:
        actor = request.actor
        me = {"key": request.auth, "role": actor.role, "permissions": sorted(actor.permissions)}
        return Response(Me(me).data)


def shown(request: Request, tenant: Tenant) -> TenantAnswer:
    return TenantAnswer(tenant, context={"root": request.actor.tenant_path})
