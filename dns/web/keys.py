"""The page of a domain's signing keys."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from dns.forms import KeyForm
from dns.key_aliases import is_offered
from dns.key_operations import (
    RETIRE_AFTER,
    ROTATE_AFTER,
    abandon_key,
    delegate_keys,
    import_key,
    is_by_alias,
    rotate_key,
)
from dns.models import DkimKey, KeyState
from dns.records import dkim_name
from domains.models import Domain
from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told, render_form
from mailhost.web.pages import needs

# Tone and word of a state, and what it means.
STATES = {
    KeyState.PENDING: (
        "waiting",
        gettext_lazy("Waits for DNS"),
        gettext_lazy("Publish its record. It signs once every name server of the domain shows it."),
    ),
    KeyState.PUBLISHED: (
        "waiting",
        gettext_lazy("In DNS"),
        gettext_lazy("Every name server shows it. It takes over within minutes."),
    ),
    KeyState.ACTIVE: (
        "ok",
        gettext_lazy("Signs"),
        gettext_lazy("Signs every message of this domain. Keep its record."),
    ),
    KeyState.RETIRING: (
        "plain",
        gettext_lazy("Retiring"),
        gettext_lazy("Signs no more. Keep its record: mail that it signed may still be on its way."),
    ),
    KeyState.RETIRED: (
        "off",
        gettext_lazy("Retired"),
        gettext_lazy("Its private part is destroyed, and its record may be removed."),
    ),
}
MOST_SHOWN = 50


@needs("records.list")
def keys(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    return render_form(request, "dns/keys.html", KeyForm(), **shown(domain))


@require_POST
@needs(import_key.action)
def import_one(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = KeyForm(request.POST)
    if form.is_valid():
        with refusals(form):
            given = form.cleaned_data
            key = import_key(request.actor, domain=domain, selector=given["selector"], private_pem=given["private_pem"])
            messages.success(request, _("The key “%(selector)s” was imported.") % {"selector": key.selector})
            return redirect("dkim-keys", domain.uid)
    return render_form(request, "dns/keys.html", form, **shown(domain))


@require_POST
def rotate(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        key = rotate_key(request.actor, domain=domain)
        text = _("The next key, “%(selector)s”, was made. The present one signs until DNS shows it.")
        messages.success(request, text % {"selector": key.selector})
    return redirect("dkim-keys", domain.uid)


@require_POST
def delegate(request: HttpRequest, uid: str) -> HttpResponse:
    """`by_alias`: 1 for aliases into the operator's zone, empty for keys in the domain itself."""
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        key = delegate_keys(request.actor, domain=domain, by_alias=bool(request.POST.get("by_alias")))
        if key.by_alias:
            said = _("The next key stands behind aliases. Enter the three of them: they are the last you need.")
        else:
            said = _("The next key, “%(selector)s”, stands in the domain itself. Enter its record.")
        messages.success(request, said % {"selector": key.selector})
        return redirect("domain", domain.uid)
    return redirect("dkim-keys", domain.uid)


@needs(abandon_key.action)
def abandon(request: HttpRequest, uid: str) -> HttpResponse:
    """Its private part is destroyed, and one that was imported may be nowhere else: its selector is typed."""
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    waiting = DkimKey.objects.next_in_line().filter(domain=domain).first()
    if waiting is None:
        # It may have begun to sign since the page was shown, which then asks for a dialog.
        messages.info(request, _("No key waits to sign."))
        keys_page = reverse("dkim-keys", args=[domain.uid])
        return HttpResponseClientRedirect(keys_page) if "HX-Request" in request.headers else redirect(keys_page)
    form = TypedForm(request.POST if request.method == "POST" else None, name=waiting.selector)
    if form.is_valid():
        with refusals(form):
            abandon_key(request.actor, domain=domain)
            messages.success(request, _("The key “%(selector)s” was given up.") % {"selector": waiting.selector})
            return redirect("dkim-keys", domain.uid)
    text = _("The private part of the key “%(selector)s” is destroyed here. The present key goes on signing.")
    return ask_name(
        request,
        form,
        title=_("Give up the waiting key"),
        text=text % {"selector": waiting.selector},
        act=_("Give up the key"),
        back=reverse("dkim-keys", args=[domain.uid]),
    )


def shown(domain: Domain) -> dict:
    rows = list(DkimKey.objects.filter(domain=domain).order_by("-pk")[:MOST_SHOWN])
    for row in rows:
        row.tone, row.word, row.means = STATES[KeyState(row.state)]
        row.record_name = dkim_name(row.selector, domain.domain_name)
    waits = any(row.state in {KeyState.PENDING, KeyState.PUBLISHED} for row in rows)
    signs = any(row.state == KeyState.ACTIVE for row in rows)
    return {
        "domain": domain,
        "tab": "keys",
        "keys": rows,
        "waits": waits,
        "signs": signs,
        "offers_aliases": is_offered(),
        "by_alias": is_by_alias(domain),
        "rotate_days": ROTATE_AFTER.days,
        "retire_days": RETIRE_AFTER.days,
    }
