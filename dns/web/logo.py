"""The page on which a domain chooses the logo that is shown beside its mail (BIMI)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dns.forms import LogoForm
from dns.models import DnsRecord, Logo, Purpose
from dns.policy_operations import may_show_logo, remove_logo, set_logo
from domains.models import Domain
from mailhost.errors import Refused
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.telling import tell

UNDO = "logo_undo"


@needs("records.list")
def logo(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    row = Logo.objects.filter(domain=domain).first()
    given = {"logo_url": row.logo_url, "certificate_url": row.certificate_url} if row else None
    form = LogoForm(request.POST if request.method == "POST" else None, initial=given)
    if form.is_valid():
        with refusals(form):
            set_logo(request.actor, domain=domain, **form.cleaned_data)
            messages.success(request, _("The logo was saved. Its record stands among those to publish in a moment."))
            return redirect("domain-logo", domain.uid)
    context = {
        "domain": domain,
        "tab": "settings",
        "logo": row,
        "is_enforced": may_show_logo(domain),
        "record": DnsRecord.objects.filter(domain=domain, purpose=Purpose.BIMI).first(),
    }
    return render_form(request, "dns/logo.html", form, **context)


@require_POST
def remove(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    row = Logo.objects.filter(domain=domain).first()
    with refusals_told(request):
        remove_logo(request.actor, domain=domain)
        request.session[UNDO] = [domain.uid, row.logo_url, row.certificate_url]
        text = _("No logo is shown any more. Take its record out of your DNS.")
        tell(request, text, undo=reverse("domain-logo-restore", args=[domain.uid]))
    return redirect("domain-logo", domain.uid)


@require_POST
@needs(set_logo.action)
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    """Choose the logo again that was removed last."""
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        whose, logo_url, certificate_url = request.session.get(UNDO) or ("", "", "")
        if whose != domain.uid:
            raise Refused("unchanged", "", _("There is nothing left to undo."))
        set_logo(request.actor, domain=domain, logo_url=logo_url, certificate_url=certificate_url)
        del request.session[UNDO]
        messages.success(request, _("The logo is shown again."))
    return redirect("domain-logo", domain.uid)
