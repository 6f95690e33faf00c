"""The command palette: whatever the signed-in person may open, found by how it begins.

Domains, mailboxes, aliases, customers, pages and acts are one search, so it stands above all apps. Each kind is one
bounded range of an index within the scope; as a page it works without JavaScript.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from domains.models import Domain
from domains.names import display_name
from domains.references import searchable
from mailboxes.addresses import display_address
from mailboxes.listing import BY_ADDRESS, mailbox_keys, mailboxes_at
from mailboxes.models import Alias
from mailhost.actor import Actor
from mailhost.keyset import beginning_with
from mailhost.web.menu import ACTS, CUSTOMER, MENU, Entry, may_open
from tenants.models import Tenant
from tenants.references import of_tenants_in_scope

MOST_OF_KIND = 6
MAX_WORDS = 100


@dataclass(frozen=True)
class Hit:
    """One thing to open."""

    address: str
    label: str
    icon: str
    detail: str = ""


@dataclass(frozen=True)
class Group:
    title: str
    hits: list[Hit]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The whole page, or for the palette's dialog its list of options alone."""
    words = " ".join(request.GET.get("q", "").split())[:MAX_WORDS]
    groups = found(request.actor, words)
    context = {"words": words, "groups": groups, "count": sum(len(group.hits) for group in groups)}
    template = "_palette_options.html" if request.headers.get("HX-Request") else "search.html"
    return render(request, template, context)


def found(actor: Actor, words: str) -> list[Group]:
    """Return what begins with these words, by kind; without words, the pages and acts alone."""
    address = _as_stored(words.lower())
    groups = []
    if words:
        if actor.may("domains.list"):
            groups.append(Group(_("Domains"), domains(words)))
        if actor.may("mailboxes.list"):
            groups.append(Group(_("Mailboxes"), mailboxes(actor, address)))
        if actor.may("aliases.list"):
            groups.append(Group(_("Aliases"), aliases(address)))
        if actor.may("tenants.list") and actor.tenant_kind != CUSTOMER:
            groups.append(Group(_("Customers"), customers(actor, words)))
    groups.append(Group(_("Do"), named(ACTS, actor, words)))
    groups.append(Group(_("Go to"), named(MENU, actor, words)))
    return [group for group in groups if group.hits]


def domains(words: str) -> list[Hit]:
    rows = Domain.objects.filter(beginning_with("domain_name", searchable(words)), is_live=1)
    shown = rows.select_related("tenant").order_by("domain_name", "pk")[:MOST_OF_KIND]
    return [
        Hit(reverse("domain", args=[row.uid]), display_name(row.domain_name), "globe-alt", row.tenant.name)
        for row in shown
    ]


def mailboxes(actor: Actor, address: str) -> list[Hit]:
    keys = mailbox_keys(of_tenant=actor.tenant_id if actor.tenant_kind == CUSTOMER else None)
    page = keys.filter(beginning_with("email", address)).order_by(*BY_ADDRESS)[:MOST_OF_KIND]
    rows = mailboxes_at(page)
    return [
        Hit(reverse("mailbox", args=[row.uid]), display_address(row.email), "inbox", row.display_name) for row in rows
    ]


def aliases(address: str) -> list[Hit]:
    rows = of_tenants_in_scope(Alias.objects.written_in_order())
    rows = rows.filter(beginning_with("alias_email", _source(address)))
    sources = rows.order_by("alias_email").values_list("alias_email", flat=True).distinct()[:MOST_OF_KIND]
    shown = map(display_address, sources)
    return [Hit(f"{reverse('aliases')}?{urlencode({'q': one})}", one, "arrows-right-left") for one in shown]


def customers(actor: Actor, words: str) -> list[Hit]:
    rows = Tenant.objects.filter(name__istartswith=words, deleted_at=None).exclude(pk=actor.tenant_id)
    shown = rows.order_by("name", "pk")[:MOST_OF_KIND]
    return [Hit(reverse("customer", args=[row.uid]), row.name, "building-office-2") for row in shown]


def named(table: tuple[Entry, ...], actor: Actor, words: str) -> list[Hit]:
    """Return the entries that this actor may open and that have a word beginning so."""
    begin = words.casefold()
    return [
        Hit(reverse(entry.page), str(entry.label), entry.icon)
        for entry in table
        if may_open(entry, actor) and f" {entry.label}".casefold().find(f" {begin}") >= 0
    ]


def _as_stored(words: str) -> str:
    """Return how the beginning of an address stands in the tables: what is after the @ as A-labels."""
    local, at, name = words.partition("@")
    return f"{local}{at}{name if name.isascii() else searchable(name)}"


def _source(address: str) -> str:
    """A catch-all is shown as "*@domain" and stored as "@domain"."""
    return address.removeprefix("*") if address.startswith("*@") else address
