"""The page that shows tenants as the tree they are."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from tenants.limits import chain_of
from tenants.models import Kind, Tenant
from tenants.references import live_tenants

# In the order of paths: a tenant, then everybody below it, so that a page is one range of the index at any depth.
ORDER = ("path",)
PAGE_SIZE = 200


@dataclass
class Node:
    """A tenant and those of the page that stand below it."""

    tenant: Tenant
    below: list["Node"] = field(default_factory=list)


@needs("tenants.list")
def tree(request: HttpRequest) -> HttpResponse:
    """Everybody at and below the actor's own tenant, or the one that `at` names."""
    if request.actor.tenant_kind == Kind.CUSTOMER:
        raise PermissionDenied(_("A customer has no accounts below it."))
    uid = request.GET.get("at", "")
    root = get_object_or_404(live_tenants(), **({"uid": uid} if uid else {"pk": request.actor.tenant_id}))
    rows = live_tenants().filter(path__startswith=root.path).select_related("allowance")
    page = page_of(rows, ORDER, request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {"root": root, "nodes": nested(page), "page": page, "above": above(request, root, page.rows)}
    return render(request, "tenants/tree.html", context)


def nested(tenants: Iterable[Tenant]) -> list[Node]:
    """Return rows in the order of their paths as nodes in one another."""
    tops: list[Node] = []
    open_nodes: list[Node] = []
    for tenant in tenants:
        node = Node(tenant)
        while open_nodes and not tenant.path.startswith(open_nodes[-1].tenant.path):
            open_nodes.pop()
        (open_nodes[-1].below if open_nodes else tops).append(node)
        open_nodes.append(node)
    return tops


def above(request: HttpRequest, root: Tenant, rows: list[Tenant]) -> list[Tenant]:
    """Return who stands, as far as the actor sees, above the page's first row: it may begin in the middle of a branch,
    or at a branch."""
    first = rows[0] if rows else root
    own = chain_of(request.actor.tenant_path)
    ids = [pk for pk in chain_of(first.path)[:-1] if pk == own[-1] or pk not in own]
    return list(live_tenants().filter(pk__in=ids).order_by("path"))
