"""Pages about tenants: who is below, and what is in use."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from tenants.models import Tenant
from tenants.references import live_tenants
from tenants.usage import limits_with_use, usage_of

MB = 1024 * 1024


@needs("tenants.list")
def customers(request: HttpRequest) -> HttpResponse:
    """Every tenant below the actor's own, with how many domains each has."""
    words = request.GET.get("q", "").strip()
    rows = Tenant.objects.filter(deleted_at=None).exclude(pk=request.actor.tenant_id).select_related("parent")
    if words:
        rows = rows.filter(name__icontains=words)
    page = page_of(rows, ("name", "pk"), request.GET.get("cursor", ""))
    counts = domain_counts(page.rows)
    for tenant in page:
        tenant.domain_count = counts[tenant.pk]
    return render(request, "tenants/list.html", {"page": page, "words": words})


@needs("usage.list")
def usage(request: HttpRequest) -> HttpResponse:
    """What the actor's tenant uses with everybody below it, of each limit and of the disk."""
    tenant = live_tenants().get(pk=request.actor.tenant_id)
    used = usage_of(tenant)
    return render(
        request,
        "tenants/usage.html",
        {
            "tenant": tenant,
            "limits": limits_with_use(tenant, used),
            "stored_mb": used.total["stored_bytes"] / MB,
            "stored_messages": used.total["stored_messages"],
        },
    )


def domain_counts(tenants: list[Tenant]) -> dict[int, int]:
    """Return how many live domains each of these tenants has itself."""
    live = Count("domains", filter=Q(domains__is_live=1))
    return dict(
        Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants]).annotate(live=live).values_list("pk", "live")
    )
