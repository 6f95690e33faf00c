"""How a path or a body points at a tenant (`ten_…`) or at a plan (`pln_…`)."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailhost.api.ids import find
from mailhost.errors import Refused
from tenants.models import Plan, Tenant
from tenants.plans import live_plans

PREFIX = "ten"
PLAN_PREFIX = "pln"
# Naming more tenants than this in a query costs more than it saves.
MOST_NAMED = 1000


def known_tenants() -> QuerySet[Tenant]:
    """Return the tenants in scope, deleted ones until they are purged, each with its parent and its plan."""
    rows = Tenant.objects.filter(purged_at=None).select_related("parent", "plan_version__plan__owner")
    return rows.order_by("name", "pk")


def live_tenants() -> QuerySet[Tenant]:
    """Return those that are not deleted, in the order of lists."""
    return known_tenants().filter(deleted_at=None)


def tenants_in_scope(most: int) -> list[int] | None:
    """Return the ids of the tenants in scope, or None when they are more than `most`."""
    ids = list(Tenant.objects.order_by().filter(deleted_at=None).values_list("pk", flat=True)[: most + 1])
    return ids if len(ids) <= most else None


def of_tenants_in_scope(rows: QuerySet) -> QuerySet:
    """Name the tenants in scope in a query that is within it anyway, where they are not too many: of each tenant the
    rows are a range of an index then, in its order."""
    tenants = tenants_in_scope(MOST_NAMED)
    return rows if tenants is None else rows.filter(tenant_id__in=tenants)


def find_tenant(reference: str, *, deleted: bool = False) -> Tenant:
    """Return a tenant in scope; with `deleted` it may be a deleted one. Raises Tenant.DoesNotExist."""
    return find(known_tenants if deleted else live_tenants, reference, prefix=PREFIX)


def of_tenant(rows: QuerySet, reference: str) -> QuerySet:
    """Return the rows of the tenant that a filter names, without those of tenants below; none when it is unknown or not
    in scope."""
    try:
        return rows.filter(tenant=find_tenant(reference))
    except Tenant.DoesNotExist:
        return rows.none()


def tenant_of_body(reference: str, field: str) -> Tenant:
    """Return the tenant that a body names. Raises Refused: the body, not the path, leads nowhere."""
    try:
        return find_tenant(reference)
    except Tenant.DoesNotExist:
        raise Refused("unknown_tenant", field, _("There is no such tenant here.")) from None


def listed_plans() -> QuerySet[Plan]:
    """Return the plans in scope that are sold, each with its versions."""
    return live_plans().prefetch_related("versions")


def find_plan(reference: str) -> Plan:
    """Return a plan in scope that is sold, with its versions. Raises Plan.DoesNotExist."""
    return find(listed_plans, reference, prefix=PLAN_PREFIX)


def plan_of_body(reference: str, field: str) -> Plan:
    """Return the plan that a body names. Raises Refused."""
    try:
        return find_plan(reference)
    except Plan.DoesNotExist:
        raise Refused("unknown_plan", field, _("There is no such plan here.")) from None
