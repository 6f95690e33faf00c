"""`mailhostctl tenant …`: the tree of accounts."""

from typing import Any

from accounts.management.who import acting, operator, plan_named, tenant_named
from mailhost.management.noun import Noun, verb
from mailhost.scope import every_tenant
from tenants.deletion_operations import delete_tenant, purge_tenant, restorable_until, restore_tenant
from tenants.models import Kind, Reason, Tenant
from tenants.move_operations import move_tenant
from tenants.operations import BLOCKS, create_tenant, resume_tenant, suspend_tenant
from tenants.plan_operations import assign_plan
from tenants.references import known_tenants

TENANT = {"help": "its id, ten_…"}


class Command(Noun):
    help = "Resellers and customers."

    @verb("List every tenant, deleted ones until they are purged.")
    def list_(self) -> list[dict[str, Any]]:
        with every_tenant("a command lists the whole tree"):
            return [shown(tenant) for tenant in known_tenants()]

    @verb(
        "Create a tenant below another, or below the operator.",
        name={},
        kind={"default": Kind.CUSTOMER, "choices": [Kind.CUSTOMER.value, Kind.RESELLER.value]},
        below={"default": None, "help": "the id of the tenant above, ten_…"},
        plan={"default": None, "help": "the id of its plan, pln_…"},
    )
    def create(self, name: str, kind: str, below: str | None, plan: str | None) -> dict[str, Any]:
        parent = tenant_named(below) if below else operator()
        bought = plan_named(plan) if plan else None
        return shown(create_tenant(acting("tenant create"), parent=parent, kind=kind, name=name, plan=bought))

    @verb("Give a tenant another plan.", tenant=TENANT, plan={"help": "the id of the plan, pln_…"})
    def assign(self, tenant: str, plan: str) -> dict[str, Any]:
        return shown(assign_plan(acting("tenant assign"), tenant=tenant_named(tenant), plan=plan_named(plan)))

    @verb(
        "Block a tenant and everything below it.",
        tenant=TENANT,
        reason={"required": True, "choices": Reason.values},
        note={"default": "", "help": "what else the tenant reads"},
        blocks={"default": list(BLOCKS), "nargs": "+", "choices": list(BLOCKS), "help": "what is blocked (all)"},
    )
    def suspend(self, tenant: str, reason: str, note: str, blocks: list[str]) -> dict[str, Any]:
        actor = acting("tenant suspend")
        return shown(suspend_tenant(actor, tenant=tenant_named(tenant), reason=reason, note=note, blocks=blocks))

    @verb("Lift a tenant's own suspension.", tenant=TENANT)
    def resume(self, tenant: str) -> dict[str, Any]:
        return shown(resume_tenant(acting("tenant resume"), tenant=tenant_named(tenant)))

    @verb(
        "Let a tenant, with all below it, belong to another.",
        tenant=TENANT,
        below={"required": True, "help": "the id of the tenant above, ten_…"},
    )
    def move(self, tenant: str, below: str) -> dict[str, Any]:
        return shown(move_tenant(acting("tenant move"), tenant=tenant_named(tenant), parent=tenant_named(below)))

    @verb("Delete a tenant and everything below it; it can be restored for a while.", tenant=TENANT)
    def delete(self, tenant: str) -> dict[str, Any]:
        return shown(delete_tenant(acting("tenant delete"), tenant=tenant_named(tenant)))

    @verb("Bring a deleted tenant back as it was.", tenant=TENANT)
    def restore(self, tenant: str) -> dict[str, Any]:
        return shown(restore_tenant(acting("tenant restore"), tenant=tenant_named(tenant, deleted=True)))

    @verb("Delete a deleted tenant for good, before its time; only its record of changes stays.", tenant=TENANT)
    def purge(self, tenant: str) -> dict[str, Any]:
        return shown(purge_tenant(acting("tenant purge"), tenant=tenant_named(tenant, deleted=True)))


def shown(tenant: Tenant) -> dict[str, Any]:
    until = restorable_until(tenant)
    return {
        "id": f"ten_{tenant.uid}",
        "name": tenant.name,
        "kind": tenant.kind,
        "sign_in": tenant.may_sign_in,
        "sending": tenant.may_send,
        "receiving": tenant.may_receive,
        "restorable_until": until.isoformat() if until else None,
    }
