"""How many domains tenants have, counted in the table (`tenants.usage`)."""

from collections.abc import Iterable

from django.db.models import Count

from domains.models import Domain


def count(tenant_ids: Iterable[int] | None = None) -> dict[int, dict[str, int]]:
    """Count live domains: of these tenants, or of all in scope."""
    rows = Domain.objects.order_by().filter(is_live=1)
    if tenant_ids is not None:
        rows = rows.filter(tenant__in=tenant_ids)
    return {pk: {"domains": number} for pk, number in rows.values_list("tenant").annotate(Count("pk"))}
