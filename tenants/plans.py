"""Rules of plans: which version is sold, who may have one, and what must hold once somebody has it."""

from collections.abc import Sequence

from django.db.models import QuerySet

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.said import gettext as _
from tenants import breaches
from tenants.limits import LIMITS
from tenants.models import Allowance, Plan, PlanVersion, Tenant


def live_plans() -> QuerySet[Plan]:
    """Return the plans in scope that are sold, in the order of lists."""
    return Plan.objects.filter(retired_at=None).select_related("owner").order_by("name", "pk")


def retired_plans() -> QuerySet[Plan]:
    return Plan.objects.exclude(retired_at=None).select_related("owner").order_by("name", "pk")


def version_for(tenant: Tenant, plan: Plan) -> PlanVersion:
    """Return the version of the plan that this tenant gets. Raises Refused("unknown_plan") unless somebody above the
    tenant sells it."""
    row = live_plans().filter(pk=plan.pk).first()
    if row is None or row.owner_id == tenant.pk or not tenant.path.startswith(row.owner.path):
        raise Refused("unknown_plan", "plan", _("Nobody above %(name)s sells this plan.") % {"name": tenant.name})
    return row.present


def outdated_tenants(plan: Plan) -> QuerySet[Tenant]:
    """Return the live tenants in scope that have an older version of the plan."""
    rows = Tenant.objects.filter(plan_version__plan=plan, deleted_at=None).exclude(plan_version=plan.present)
    return rows.select_related("plan_version").order_by("pk")


def grant(tenants: Sequence[Tenant], version: PlanVersion | None, *, accept_excess: bool = False) -> None:
    """Give these locked tenants the limits of a version, or none of their own.

    With `accept_excess` a tenant may use or have sold more than it then may: nothing is deleted, and nothing more is
    made until there is room. What its provider may not sell is always refused. Raises Refused: limit_reached,
    oversold.
    """
    ids = [tenant.pk for tenant in tenants]
    Tenant.objects.filter(pk__in=ids).update(plan_version=version)
    Allowance.objects.filter(pk__in=ids).update(**{name: getattr(version, name, None) for name in LIMITS})
    # Written first: whoever makes something from now on waits for this, and what is just being made is waited for.
    for breach in breaches.of_plans(tenants, version, locking=True):
        if not (accept_excess and breach.is_own):
            raise breach.refusal("plan")


def refuse_plan_from_above(actor: Actor, tenant: Tenant) -> None:
    """Raise Refused("plan_from_above") when somebody above the actor has chosen the tenant's plan."""
    owner = tenant.plan_version.plan.owner.path if tenant.plan_version else actor.tenant_path
    if owner != actor.tenant_path and actor.tenant_path.startswith(owner):
        raise Refused(
            "plan_from_above",
            "plan",
            _("The plan of %(name)s was chosen from above your account, so only they can change it. Ask them.")
            % {"name": tenant.name},
        )
