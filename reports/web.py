"""Pages about DMARC and TLS reports."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from domains.models import Domain
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs
from reports import ladder, plot
from reports.figures import MOST_SOURCES, SHOWN_DAYS, days_of, evidence, sources_of, tls_days_of
from reports.models import Mark, SetAside, Source
from reports.operations import mark_source, set_dmarc_policy

MOST_SET_ASIDE = 100


@require_safe
@needs("reports.list")
def show(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    now = timezone.now()
    first = now.date() - timedelta(days=SHOWN_DAYS - 1)
    days, sources = days_of(domain, now.date()), sources_of(domain, now.date())
    seen = evidence(domain, now, days, sources)
    wanted = ladder.next_policy(seen.policy)
    context = {
        "domain": domain,
        "tab": "reports",
        "days": days,
        "total": sum(day.total for day in days),
        "aligned": sum(day.aligned for day in days),
        "bars": plot.bars(days),
        "plot": plot,
        "sources": sources[:MOST_SOURCES],
        "tls_days": tls_days_of(domain, first),
        "steps": steps(seen.policy),
        "policy": seen.policy,
        "next_policy": wanted,
        "obstacles": ladder.obstacles(seen, now),
        "former_policy": former(seen.policy),
    }
    return render(request, "reports/show.html", context)


@require_POST
@needs(mark_source.action)
def mark(request: HttpRequest, uid: str) -> HttpResponse:
    source = get_object_or_404(Source.objects.select_related("domain").filter(domain__deleted_at=None), uid=uid)
    with refusals_told(request):
        marked = mark_source(request.actor, source=source, mark=request.POST.get("mark", ""))
        said = {
            Mark.OURS: _("%(server)s sends for you."),
            Mark.FOREIGN: _("%(server)s does not send for you."),
            Mark.UNKNOWN: _("It is open whether %(server)s sends for you."),
        }
        messages.success(request, said[Mark(marked.mark)] % {"server": marked})
    return redirect("domain-reports", source.domain.uid)


@require_POST
@needs(set_dmarc_policy.action)
def set_policy(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        policy = request.POST.get("policy", "")
        set_dmarc_policy(request.actor, domain=domain, policy=policy)
        said = _("The DMARC record now asks for %(policy)s. Publish it as the DNS page shows it.")
        messages.success(request, said % {"policy": policy})
    return redirect("domain-reports", domain.uid)


@require_safe
@needs("reports.list_set_aside")
def set_aside(request: HttpRequest) -> HttpResponse:
    """Messages to the reports' mailbox that were not counted; of the installation, so for its operator."""
    rows = SetAside.objects.order_by("-pk")[:MOST_SET_ASIDE]
    return render(request, "reports/set_aside.html", {"rows": rows})


def former(policy: str) -> str | None:
    at = ladder.POLICIES.index(policy)
    return ladder.POLICIES[at - 1] if at else None


def steps(policy: str) -> list[tuple[str, bool, bool]]:
    """Return each step of the ladder: its name, whether it is taken, whether it is the present one."""
    at = ladder.POLICIES.index(policy)
    return [(name, number <= at, number == at) for number, name in enumerate(ladder.POLICIES)]
