"""The page about what is in use."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from mailhost.web.charts import Chart, line_chart
from mailhost.web.pages import needs
from tenants.models import Kind
from tenants.references import live_tenants
from tenants.usage import limits_with_use, usage_of

MB = 1024 * 1024

# By name, because billing stands above this app.
HISTORY = "billing.history.history"
DAYS = 30
CHARTED = {"mailboxes": _("Mailboxes"), "stored_mb": _("Stored, MB"), "messages": _("Messages sent a day")}


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
            "charts": charts() if tenant.kind != Kind.OPERATOR else [],
        },
    )


def charts() -> list[Chart]:
    """Return how use has grown over the last days, as far as they are closed."""
    found = import_string(HISTORY)(timezone.now().date(), DAYS, tuple(CHARTED))
    drawn = [line_chart(str(label), found.get(metric, [])) for metric, label in CHARTED.items()]
    return [chart for chart in drawn if chart is not None]
