"""DNS tools: look at any domain, hosted here or not, and make records from choices."""

from collections.abc import Callable

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from dns import choices
from dns.forms import CheckForm, DmarcForm, LookupForm, SpfForm
from dns.remembered import look, whole_check
from dns.tools import Found
from mailhost.web.forms import refusals, render_form
from mailhost.web.pages import needs

TITLES = {
    "mx": _("Mail exchanger (MX)"),
    "spf": _("Allowed servers (SPF)"),
    "dkim": _("Signature keys (DKIM)"),
    "dmarc": _("Policy (DMARC)"),
    "mta_sts": _("TLS policy (MTA-STS)"),
    "tls_rpt": _("TLS reports"),
    "ptr": _("Name of the address (PTR)"),
    "blocklists": _("Block lists"),
}
# Absent is no fault of these.
OPTIONAL = frozenset({"mta_sts", "tls_rpt"})


def tool(template: str, tab: str, form_class: type[forms.Form]) -> Callable:
    """A page with one form that is sent by GET: nothing changes, and the address can be passed on."""

    def decorate(answer: Callable[[HttpRequest, dict], dict]) -> Callable:
        @needs("dns.look_up")
        def page(request: HttpRequest) -> HttpResponse:
            form = form_class(request.GET if request.GET else None)
            context: dict = {"tab": tab}
            if form.is_valid():
                with refusals(form, {"name": form_class.subject, "domain": form_class.subject}):
                    context |= answer(request, form.cleaned_data)
            return render_form(request, template, form, **context)

        return page

    return decorate


@tool("dns/check.html", "check", CheckForm)
def check(request: HttpRequest, given: dict) -> dict:
    found = whole_check(request.actor, given["domain"], given["ip"] or None)
    sender = found.get("sender")
    parts = [part(name, found[name]) for name in ("mx", "spf", "dkim", "dmarc", "mta_sts", "tls_rpt")]
    more = [part(name, sender[name]) for name in ("ptr", "blocklists")] if sender else []
    return {"found": found, "parts": parts + more, "sender": sender}


@tool("dns/look.html", "look", LookupForm)
def look_up(request: HttpRequest, given: dict) -> dict:
    return {"parts": [part(given["kind"].replace("-", "_"), look(request.actor, given["kind"], given["name"]))]}


@tool("dns/make_spf.html", "spf", SpfForm)
def make_spf(request: HttpRequest, given: dict) -> dict:
    return {"made": choices.make_spf(**given)}


@tool("dns/make_dmarc.html", "dmarc", DmarcForm)
def make_dmarc(request: HttpRequest, given: dict) -> dict:
    return {"made": choices.make_dmarc(**given)}


def part(kind: str, found: Found) -> dict:
    """Return one kind's answer as the page shows it: a tone, a word, the values, the sentences."""
    if found["outcome"] in {"server_failure", "timeout", "lame", "unreadable"}:
        tone, word = "waiting", _("DNS did not answer")
    elif kind == "blocklists":
        tone, word = ("problem", _("Listed")) if found["found"] else ("ok", _("Not listed"))
    elif not found["found"]:
        tone, word = ("off", _("None")) if kind in OPTIONAL else ("problem", _("None"))
    elif found["problems"]:
        tone, word = "problem", _("Look at this")
    else:
        tone, word = "ok", _("Right")
    return {
        "title": TITLES.get(kind, kind),
        "tone": tone,
        "word": word,
        "values": found["found"],
        "problems": found["problems"],
        "meaning": found.get("meaning", []),
    }
