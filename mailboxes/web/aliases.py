"""Pages about aliases."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from mailboxes.addresses import display_address
from mailboxes.alias_groups import groups_of, sources
from mailboxes.alias_operations import create_alias, delete_alias, set_alias_enabled
from mailboxes.forms import AliasForm
from mailboxes.models import Alias
from mailboxes.references import matching_sources
from mailboxes.web.choices import chosen_domain, domain_choices
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import go_back, needs
from mailhost.web.paging import page_of


@needs("aliases.list")
def index(request: HttpRequest) -> HttpResponse:
    """A page of sources, each with all of its targets."""
    words = request.GET.get("q", "").strip()
    domain = chosen_domain(request)
    found = sources()
    if domain is not None:
        found = found.filter(domain=domain)
    if words:
        found = matching_sources(found, words)
    page = page_of(found, ("alias_email", "domain_id"), request.GET.get("cursor", ""))
    context = {"page": page, "groups": groups_of(page), "words": words, "domain": domain}
    return render(request, "mailboxes/aliases.html", context)


@needs("aliases.create")
def add(request: HttpRequest) -> HttpResponse:
    chosen = chosen_domain(request)
    initial = {"domain": chosen.domain_name} if chosen else None
    form = AliasForm(request.POST if request.method == "POST" else None, domains=domain_choices(), initial=initial)
    if form.is_valid():
        with refusals(form, {"source": "local_part"}):
            rows = create_alias(request.actor, source=form.address, targets=form.cleaned_data["targets"])
            messages.success(request, f"{display_address(rows[0].alias_email)} was created.")
            return redirect("aliases")
    return render_form(request, "mailboxes/alias_add.html", form)


@require_POST
def set_target_enabled(request: HttpRequest, uid: str, enabled: bool) -> HttpResponse:
    alias = get_object_or_404(Alias.objects.written(), uid=uid)
    with refusals_told(request):
        set_alias_enabled(request.actor, alias=alias, enabled=enabled)
        fact = "is delivered again to" if enabled else "is no longer delivered to"
        messages.success(request, f"Mail to {display_address(alias.alias_email)} {fact} {alias.destination_email}.")
    return go_back(request, "aliases")


@require_POST
def delete_target(request: HttpRequest, uid: str) -> HttpResponse:
    alias = get_object_or_404(Alias.objects.written(), uid=uid)
    with refusals_told(request):
        delete_alias(request.actor, alias=alias)
        fact = f"no longer leads to {alias.destination_email}"
        messages.success(request, f"{display_address(alias.alias_email)} {fact}.")
    return go_back(request, "aliases")
