"""The page by which a domain's records go into its own zone: connect, look at the difference, publish, take back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from dns.changes import Change
from dns.forms import ProviderForm, ZoneForm
from dns.intents import left_over
from dns.models import Publication, ZoneAccess
from dns.provider_zone import is_installed
from dns.providers import PROVIDERS
from dns.publishing_operations import preview, publish_records, undo_publication
from dns.zone_access_operations import connect_zone, disconnect_zone
from domains.models import Domain
from domains.names import display_name
from mailhost.errors import Refused
from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.telling import tell


@needs("records.list")
def publishing(request: HttpRequest, uid: str) -> HttpResponse:
    """`?preview=1` asks the name server, so the page itself comes without it."""
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    context = shown(domain)
    if context["access"] and "preview" in request.GET and request.actor.may("zones.publish"):
        context |= previewed(request, domain)
    return render_form(request, "dns/publishing.html", context["zone_form"], **context)


@require_POST
@needs(connect_zone.action)
def connect(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    is_provider = "provider" in request.POST
    form = (ProviderForm if is_provider else ZoneForm)(request.POST)
    if form.is_valid():
        with refusals(form):
            access = connect_zone(request.actor, domain=domain, **form.cleaned_data)
            text = _("%(server)s took the key. Look at what would change, then publish.")
            messages.success(request, text % {"server": title_of(access) or access.server})
            return redirect("domain-publishing", domain.uid)
    shown_as = "provider_form" if is_provider else "zone_form"
    return render_form(request, "dns/publishing.html", form, **shown(domain) | {shown_as: form})


@needs("zones.disconnect")
def disconnect(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = TypedForm(request.POST if request.method == "POST" else None, name=display_name(domain.domain_name))
    if form.is_valid():
        with refusals(form):
            disconnect_zone(request.actor, domain=domain)
            messages.success(request, _("The name server's key was forgotten. What was published stays."))
            return redirect("domain-publishing", domain.uid)
    return ask_name(
        request,
        form,
        title=_("Forget the key"),
        text=_("The key is gone for good: to publish again you enter it anew. What was published stays."),
        act=_("Forget the key"),
        back=reverse("domain-publishing", args=[domain.uid]),
    )


@require_POST
def publish(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        started = int(timezone.now().timestamp())
        count = len(publish_records(request.actor, domain=domain).changes)
        text = ngettext("%(count)d change was published.", "%(count)d changes were published.", count)
        tell(request, text % {"count": count})
        # The page follows what comes of it: the proof, the signing key, the answers.
        return redirect(f"{reverse('domain', args=[domain.uid])}?published={started}")
    return redirect("domain-publishing", domain.uid)


@require_POST
def undo(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        undo_publication(request.actor, domain=domain)
        messages.success(request, _("What stood there before is back. Nothing more is published by itself."))
    return redirect("domain-publishing", domain.uid)


def shown(domain: Domain) -> dict:
    last = Publication.objects.filter(domain=domain).order_by("-pk").first()
    access = ZoneAccess.objects.filter(domain=domain).first()
    return {
        "domain": domain,
        "tab": "publishing",
        "access": access,
        "provider": title_of(access) if access else "",
        "provider_titles": get_text_list([provider.title for provider in PROVIDERS.values()], _("or")),
        "is_cut_off": bool(left_over(timezone.now(), domain.pk)),
        "zone_form": new_zone_form(domain),
        "provider_form": ProviderForm(initial={"zone": domain.domain_name}) if is_installed() else None,
        "last": last,
        "last_changes": [Change.from_dict(values) for values in last.changes] if last else [],
    }


def title_of(access: ZoneAccess) -> str:
    """Return what people call the provider, "" for a name server of one's own."""
    return PROVIDERS[access.provider].title if access.provider else ""


def new_zone_form(domain: Domain) -> ZoneForm:
    return ZoneForm(initial={"zone": domain.domain_name})


def previewed(request: HttpRequest, domain: Domain) -> dict:
    try:
        changes = preview(request.actor, domain)
    except Refused as refused:
        return {"is_previewed": True, "trouble": refused.message}
    return {
        "is_previewed": True,
        "changes": [change for change in changes if change.does_something],
        "left": [change for change in changes if not change.does_something and change.note],
    }
