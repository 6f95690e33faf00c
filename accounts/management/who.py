"""How commands find what they are told to act on, and as whom they act: for the whole installation, by their name."""

from accounts.actors import system_actor
from mailhost.actor import Actor
from mailhost.management.noun import NotFound
from mailhost.scope import every_tenant
from tenants.models import Kind, Plan, Tenant
from tenants.references import find_plan, find_tenant


def operator() -> Tenant:
    """Return the root of the tree. Raises NotFound before `operator create`."""
    with every_tenant("a command acts for the installation"):
        tenant = Tenant.objects.filter(kind=Kind.OPERATOR, deleted_at=None).order_by("pk").first()
    if tenant is None:
        raise NotFound("There is no operator yet: mailhostctl operator create you@example.org")
    return tenant


def acting(command: str) -> Actor:
    """Return the actor of a command; the record of changes bears its name."""
    return system_actor(operator(), f"mailhostctl {command}")


def tenant_named(reference: str, *, deleted: bool = False) -> Tenant:
    """Return the tenant with this id (ten_…), with `deleted` also a deleted one. Raises NotFound."""
    try:
        with every_tenant("a command names any tenant"):
            return find_tenant(reference, deleted=deleted)
    except Tenant.DoesNotExist:
        raise NotFound(f"There is no tenant {reference}. `mailhostctl tenant list` shows them.") from None


def plan_named(reference: str) -> Plan:
    """Return the plan with this id (pln_…). Raises NotFound."""
    try:
        with every_tenant("a command names any plan"):
            return find_plan(reference)
    except Plan.DoesNotExist:
        raise NotFound(f"There is no plan {reference}. `mailhostctl plan list` shows them.") from None
