"""The page about what is in use."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mailhost.web.pages import needs
from tenants.references import live_tenants
from tenants.usage import limits_with_use, usage_of

MB = 1024 * 1024


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
            "sent_today": used.total["sent_today"],
            "sent_this_month": used.total["sent_this_month"],
        },
    )
