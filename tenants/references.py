"""How a path or a body points at a tenant: `ten_…`."""

from django.db.models import QuerySet

from mailhost.api.ids import find
from mailhost.errors import Refused
from tenants.models import Tenant

PREFIX = "ten"


def live_tenants() -> QuerySet[Tenant]:
    """Return the tenants in scope that are not deleted, in the order of lists, each with its parent."""
    return Tenant.objects.filter(deleted_at=None).select_related("parent").order_by("name", "pk")


def tenants_in_scope(most: int) -> list[int] | None:
    """Return the ids of the tenants in scope, or None when they are more than `most`."""
    ids = list(Tenant.objects.order_by().values_list("pk", flat=True)[: most + 1])
    return ids if len(ids) <= most else None


def find_tenant(reference: str) -> Tenant:
    """Return a tenant in scope. Raises Tenant.DoesNotExist."""
    return find(live_tenants(), reference, prefix=PREFIX)


def tenant_of_body(reference: str, field: str) -> Tenant:
    """Return the tenant that a body names. Raises Refused: the body, not the path, leads nowhere."""
    try:
        return find_tenant(reference)
    except Tenant.DoesNotExist:
        raise Refused("unknown_tenant", field, "There is no such tenant here.") from None
