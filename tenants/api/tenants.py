"""Tenants over REST: the tree, and what may be done to one."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.ids import public_id
from mailhost.api.lists import Filter, Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Nothing, Shape, Switch, Text, Whole
from mailhost.errors import Refused
from tenants import breaches
from tenants.api.answers import PreviewAnswer, TenantAnswer, preview
from tenants.deletion_operations import delete_tenant, purge_tenant, restore_tenant
from tenants.locks import lock_branch
from tenants.models import Kind, Tenant
from tenants.move_operations import check_place, move_tenant
from tenants.operations import create_tenant, resume_tenant, suspend_tenant
from tenants.plan_operations import assign_plan, update_tenant
from tenants.plans import version_for
from tenants.references import PREFIX, find_tenant, known_tenants, live_tenants, plan_of_body, tenant_of_body

WORKS = {"may_sign_in": True, "may_send": True, "may_receive": True}


def below(rows, reference: str):
    """Return the rows right below the tenant that a filter names; none when it is unknown or not in scope."""
    try:
        return rows.filter(parent=find_tenant(reference))
    except Tenant.DoesNotExist:
        return rows.none()


def in_state(rows, state: str):
    match state:
        case "deleted":
            return rows.filter(deleted_at__isnull=False)
        case "active":
            return rows.filter(**WORKS, deleted_at=None)
    return rows.filter(deleted_at=None).exclude(**WORKS)


LISTING = Listing(
    orders={"name": ("name", "pk"), "created_at": ("pk",)},
    filters=(
        Filter("parent_id", "Only those right below this tenant.", below),
        Filter(
            "status",
            "Only those in this state; deleted ones are listed for no other.",
            in_state,
            choices=("active", "suspended", "deleted"),
        ),
        one_of("kind", "Only tenants of this kind.", {kind.value: {"kind": kind.value} for kind in Kind}),
    ),
    search=lambda rows, words: rows.filter(name__icontains=words),
    searched="its name",
)


class NewTenant(Shape):
    """`parent_id` is the asking key's tenant unless given, `kind` customer. `plan_id` names a plan of yours."""

    name = Text()
    kind = Text(required=False)
    parent_id = Text(required=False)
    plan_id = Text(required=False, allow_null=True)


class TenantChange(Shape):
    """`oversell_percent`: how much of its own grant it may sell; 100 is all of it once."""

    name = Text(required=False)
    oversell_percent = Whole(required=False)


class Suspension(Shape):
    """`blocks` is everything unless given: sign_in, sending, receiving. The customer reads `reason` (unpaid, spam,
    abuse, security, legal, requested, other) and `note`."""

    reason = Text()
    note = Text(required=False, allow_blank=True)
    blocks = serializers.ListField(child=Text(), required=False, max_length=10)


class NewPlace(Shape):
    parent_id = Text()


class PlanChoice(Shape):
    """`plan_id` null takes the plan away. With `accept_excess` more may be in use than the plan allows."""

    plan_id = Text(allow_null=True)
    accept_excess = Switch(required=False)


class PreviewRequest(Shape):
    """Either a plan or a new parent."""

    plan_id = Text(required=False)
    parent_id = Text(required=False)


class Tenants(Endpoint):
    """The key's own tenant and every tenant below it."""

    actions = {"GET": "tenants.list", "POST": create_tenant.action}
    listing = LISTING
    body_names = {"plan": "plan_id", "parent": "parent_id"}

    @describe("list_tenants", "List tenants", answer=TenantAnswer, lists=True)
    def get(self, request: Request) -> Response:
        is_bin = request.query_params.get("status") == "deleted"
        return self.page(known_tenants if is_bin else live_tenants, TenantAnswer, root=request.actor.tenant_path)

    @describe("create_tenant", "Create a tenant", body=NewTenant, answer=TenantAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewTenant)
        parent = tenant_of_body(fields.pop("parent_id", None) or public_id(PREFIX, request.auth.root), "parent_id")
        if plan_id := fields.pop("plan_id", None):
            fields["plan"] = plan_of_body(plan_id, "plan_id")
        tenant = create_tenant(request.actor, parent=parent, **{"kind": Kind.CUSTOMER, **fields})
        return created(shown(request, tenant), "api-tenant")


class OfTenant(Endpoint):
    """What changes one tenant does so under its lock."""

    body_names = {"plan": "plan_id", "parent": "parent_id"}

    def lock(self, request: Request, tenant: str) -> None:
        lock_branch(find_tenant(tenant))


class OneTenant(OfTenant):
    """One tenant, by id. A deleted one is shown until it is purged."""

    actions = {"GET": "tenants.list", "PATCH": update_tenant.action, "DELETE": delete_tenant.action}

    @describe("get_tenant", "Show a tenant", answer=TenantAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        return Response(shown(request, find_tenant(tenant, deleted=True)).data)

    @describe(
        "update_tenant", "Change a tenant", body=TenantChange, answer=TenantAnswer, names_object=True, changes=True
    )
    def patch(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        return Response(shown(request, update_tenant(request.actor, tenant=row, **self.body(TenantChange))).data)

    @describe("delete_tenant", "Delete a tenant; it can be restored", status=204, names_object=True, changes=True)
    def delete(self, request: Request, tenant: str) -> Response:
        delete_tenant(request.actor, tenant=find_tenant(tenant))
        return gone()


class TenantSuspension(OfTenant):
    """Blocks a tenant and everything below it, as one act."""

    actions = {"POST": suspend_tenant.action}
    shows = OneTenant

    @describe(
        "suspend_tenant", "Suspend a tenant", body=Suspension, answer=TenantAnswer, names_object=True, changes=True
    )
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        return Response(shown(request, suspend_tenant(request.actor, tenant=row, **self.body(Suspension))).data)


class TenantResumption(OfTenant):
    """Lifts a tenant's own suspension; what is blocked above stays blocked."""

    actions = {"POST": resume_tenant.action}
    shows = OneTenant

    @describe("resume_tenant", "Resume a suspended tenant", answer=TenantAnswer, names_object=True, changes=True)
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        self.body(Nothing)
        return Response(shown(request, resume_tenant(request.actor, tenant=row)).data)


class TenantMove(OfTenant):
    """Lets a tenant, with everything below it, stand below another."""

    actions = {"POST": move_tenant.action}
    shows = OneTenant

    @describe("move_tenant", "Move a tenant", body=NewPlace, answer=TenantAnswer, names_object=True, changes=True)
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        parent = tenant_of_body(self.body(NewPlace)["parent_id"], "parent_id")
        return Response(shown(request, move_tenant(request.actor, tenant=row, parent=parent)).data)


class TenantPlan(OfTenant):
    """Gives a tenant the present version of a plan."""

    actions = {"POST": assign_plan.action}
    shows = OneTenant

    @describe(
        "assign_plan", "Choose a tenant's plan", body=PlanChoice, answer=TenantAnswer, names_object=True, changes=True
    )
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        choice = self.body(PlanChoice)
        reference = choice.pop("plan_id")
        plan = plan_of_body(reference, "plan_id") if reference is not None else None
        return Response(shown(request, assign_plan(request.actor, tenant=row, plan=plan, **choice)).data)


class TenantPreview(Endpoint):
    """Says which limits a plan, or another place in the tree, would break for a tenant."""

    actions = {"POST": assign_plan.action}
    body_names = {"plan": "plan_id", "parent": "parent_id"}

    @describe(
        "preview_tenant",
        "Preview a plan or a move",
        body=PreviewRequest,
        answer=PreviewAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        wanted = self.body(PreviewRequest)
        if len(wanted) != 1:
            raise Refused("one_of", "", "Name either plan_id or parent_id.")
        if "plan_id" in wanted:
            version = version_for(row, plan_of_body(wanted["plan_id"], "plan_id"))
            return Response(preview([row], breaches.of_plans([row], version)))
        parent = tenant_of_body(wanted["parent_id"], "parent_id")
        check_place(request.actor, row, parent)
        return Response(preview([row], breaches.of_move(row, parent)))


class TenantRestoration(Endpoint):
    """Brings a deleted tenant back as it was."""

    actions = {"POST": restore_tenant.action}

    @describe("restore_tenant", "Restore a deleted tenant", answer=TenantAnswer, names_object=True, changes=True)
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant, deleted=True)
        self.body(Nothing)
        return Response(shown(request, restore_tenant(request.actor, tenant=row)).data)


class TenantPurge(Endpoint):
    """Begins to delete a deleted tenant for good, before its time."""

    actions = {"POST": purge_tenant.action}

    @describe("purge_tenant", "Delete a deleted tenant for good", status=204, names_object=True, changes=True)
    def post(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant, deleted=True)
        self.body(Nothing)
        purge_tenant(request.actor, tenant=row)
        return gone()


def shown(request: Request, tenant: Tenant) -> TenantAnswer:
    return TenantAnswer(known_tenants().get(pk=tenant.pk), context={"root": request.actor.tenant_path})
