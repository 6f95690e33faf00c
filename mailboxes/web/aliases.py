"""Pages about aliases."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailboxes.addresses import display_address
from mailboxes.alias_groups import AliasGroup, groups_of, sources_of
from mailboxes.alias_operations import create_alias, delete_alias, set_alias_enabled
from mailboxes.forms import AliasForm
from mailboxes.listing import named_tenants
from mailboxes.models import Alias
from mailboxes.ownership import own_addresses
from mailboxes.web.choices import chosen_domain, domain_choices
from mailhost.errors import Refused
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import go_back, needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell

UNDO = "alias_undo"


@needs("aliases.list")
def index(request: HttpRequest) -> HttpResponse:
    """A page of sources, each with all of its targets."""
    words = request.GET.get("q", "").strip()
    domain = chosen_domain(request)
    found = sources_of(named_tenants(request.actor, of_one_domain=False), words.lower())
    if domain is not None:
        found = found.filter(domain=domain)
    page = page_of(found, ("alias_email", "domain_id"), request.GET.get("cursor", ""))
    context = {
        "page": page,
        "groups": with_outside_marked(groups_of(page)),
        "words": words,
        "domain": domain,
        "may_switch": request.actor.may(set_alias_enabled.action),
        "may_remove": request.actor.may(delete_alias.action),
    }
    return render(request, "mailboxes/aliases.html", context)


def with_outside_marked(groups: list[AliasGroup]) -> list[AliasGroup]:
    """Let each row say whether its target lies in none of the domains in scope; one query for all."""
    own = own_addresses({row.destination_email for group in groups for row in group.rows})
    for group in groups:
        for row in group.rows:
            row.is_outside = row.destination_email not in own
    return groups


@needs("aliases.create")
def add(request: HttpRequest) -> HttpResponse:
    chosen = chosen_domain(request)
    initial = {"domain": chosen.domain_name} if chosen else {}
    initial["targets"] = request.GET.get("to", "")
    form = AliasForm(request.POST if request.method == "POST" else None, domains=domain_choices(), initial=initial)
    if form.is_valid():
        with refusals(form, {"source": "local_part"}):
            rows = create_alias(request.actor, source=form.address, targets=form.cleaned_data["targets"])
            messages.success(request, _("%(address)s was created.") % {"address": display_address(rows[0].alias_email)})
            return redirect("aliases")
    return render_form(request, "mailboxes/alias_add.html", form)


@require_safe
@needs("aliases.create")
def check(request: HttpRequest) -> HttpResponse:
    """Say what would come of an alias, while it is typed: it is made, and taken back at once."""
    form = AliasForm(request.GET, domains=domain_choices())
    context: dict = {"form": form}
    if form.is_valid():
        targets = form.cleaned_data["targets"]
        try:
            with transaction.atomic():
                rows = create_alias(request.actor, source=form.address, targets=targets)
                own = own_addresses({row.destination_email for row in rows})
                transaction.set_rollback(True)
        except Refused as refusal:
            context["refusal"] = refusal.message
        else:
            context["rows"] = rows
            context["outside"] = [row.destination_email for row in rows if row.destination_email not in own]
    return render(request, "mailboxes/_alias_check.html", context)


@require_POST
def set_target_enabled(request: HttpRequest, uid: str, enabled: bool) -> HttpResponse:
    alias = get_object_or_404(Alias.objects.written(), uid=uid)
    with refusals_told(request):
        _refuse_another(request, alias)
        set_alias_enabled(request.actor, alias=alias, enabled=enabled)
        on = _("Mail to %(source)s is delivered again to %(target)s.")
        off = _("Mail to %(source)s is no longer delivered to %(target)s.")
        undo_address = "" if enabled else reverse("alias-enable", args=[alias.uid])
        tell(request, (on if enabled else off) % named(alias), undo=undo_address)
    return go_back(request, "aliases")


@require_POST
def delete_target(request: HttpRequest, uid: str) -> HttpResponse:
    alias = get_object_or_404(Alias.objects.written(), uid=uid)
    with refusals_told(request):
        _refuse_another(request, alias)
        delete_alias(request.actor, alias=alias)
        request.session[UNDO] = [alias.alias_email, alias.destination_email, alias.is_enabled]
        undo_address = reverse("alias-undo") if request.actor.may(create_alias.action) else ""
        tell(request, _("%(source)s no longer leads to %(target)s.") % named(alias), undo=undo_address)
    return go_back(request, "aliases")


@require_POST
@needs(create_alias.action)
def undo(request: HttpRequest) -> HttpResponse:
    """Let the target that was removed last be one again, switched off if it was."""
    with refusals_told(request), transaction.atomic():
        if UNDO not in request.session:
            raise Refused("unchanged", "", _("There is nothing left to undo."))
        source, target, was_enabled = request.session[UNDO]
        # A catch-all is stored as "@domain" and asked for as "*@domain".
        rows = create_alias(request.actor, source=f"*{source}" if source.startswith("@") else source, targets=[target])
        if not was_enabled:
            set_alias_enabled(request.actor, alias=rows[0], enabled=False)
        del request.session[UNDO]
        messages.success(request, _("%(source)s leads to %(target)s again.") % named(rows[0]))
    return go_back(request, "aliases")


def _refuse_another(request: HttpRequest, alias: Alias) -> None:
    """Raise Refused when the button was shown for another target: an alias's id passes on to the next one."""
    if request.POST.get("target", alias.destination_email) != alias.destination_email:
        raise Refused("changed", "", _("This alias was changed meanwhile. Look at the list again."))


def named(alias: Alias) -> dict[str, str]:
    return {"source": display_address(alias.alias_email), "target": display_address(alias.destination_email)}
