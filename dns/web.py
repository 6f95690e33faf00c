"""Pages about what a domain publishes in DNS, and the operator's about the signers."""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from dns.metrics import metrics_text
from dns.models import DnsRecord
from dns.purposes import groups
from dns.record_operations import check_records
from dns.signers import signer_states
from domains.models import Domain
from domains.readiness import readiness
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs

# A check asks several servers, each with a time-out; what takes longer is read after a reload.
WATCH_SECONDS = 30
LOOPBACK = {"127.0.0.1", "::1"}


@needs("records.list")
def records(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    found = list(DnsRecord.objects.of_domain(domain))
    last = max((record.last_checked_at for record in found if record.last_checked_at), default=None)
    context = {
        "domain": domain,
        "tab": "dns",
        "ready": readiness(domain, found),
        "groups": groups(domain.domain_name, found),
        "last_checked_at": last,
        "is_being_checked": is_being_checked(request.GET.get("checking", ""), last, timezone.now()),
    }
    return render(request, "dns/records.html", context)


@require_POST
def check(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        started = int(timezone.now().timestamp())
        check_records(request.actor, domain=domain)
        return redirect(f"{reverse('domain', args=[domain.uid])}?checking={started}")
    return redirect("domain", domain.uid)


def is_being_checked(started: str, last_checked_at: datetime | None, now: datetime) -> bool:
    """Say whether the check that was asked for at `started` (seconds since the epoch) may still bring something."""
    if not (started.isascii() and started.isdigit() and len(started) <= 11):
        return False
    age_seconds = now.timestamp() - int(started)
    has_answer = last_checked_at is not None and last_checked_at.timestamp() >= int(started)
    return 0 <= age_seconds < WATCH_SECONDS and not has_answer


@needs("signers.list")
def signers(request: HttpRequest) -> HttpResponse:
    return render(request, "dns/signers.html", {"signers": signer_states(timezone.now())})


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The signers' metrics, for a collector on this machine that asks without a proxy, and for the operator."""
    is_local = request.META["REMOTE_ADDR"] in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META
    if not is_local and not (request.actor and request.actor.may("signers.list")):
        raise PermissionDenied("Metrics are for the operator.")
    return HttpResponse(metrics_text(signer_states(timezone.now())), content_type=CONTENT_TYPE_LATEST)
