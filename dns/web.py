"""Pages about what a domain publishes in DNS."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from dns.models import DnsRecord
from dns.operations import check_records
from dns.purposes import groups
from domains.models import Domain
from domains.readiness import readiness
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs


@needs("records.list")
def records(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    found = list(DnsRecord.objects.of(domain))
    context = {
        "domain": domain,
        "tab": "dns",
        "ready": readiness(domain, found),
        "groups": groups(domain.domain_name, found),
        "last_checked_at": max((record.last_checked_at for record in found if record.last_checked_at), default=None),
    }
    return render(request, "dns/records.html", context)


@require_POST
def check(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        check_records(request.actor, domain=domain)
        messages.success(request, f"The records of {domain} were checked.")
    return redirect("domain", domain.uid)
