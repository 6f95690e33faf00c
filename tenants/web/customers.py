"""Pages about the tenants below: the list, and every act on one of them.

One tenant's own page stands in `accounts.web.customers`, because it shows its people.
"""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import dangerous, needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell
from tenants import breaches
from tenants.deletion_operations import delete_tenant, purge_tenant, restorable_until, restore_tenant
from tenants.forms import PurgeForm, SuspensionForm, TenantForm
from tenants.limits import totals
from tenants.models import Kind, Tenant
from tenants.move_operations import check_place, move_tenant
from tenants.operations import BELOW, resume_tenant, suspend_tenant
from tenants.plan_operations import update_tenant
from tenants.references import known_tenants, live_tenants

WORKS = {"may_sign_in": True, "may_send": True, "may_receive": True}
ACTIVE, SUSPENDED, DELETED = "active", "suspended", "deleted"
# What of its limits a row of the list shows.
SHOWN_LIMITS = ("domains", "mailboxes", "storage_mb")


@dataclass(frozen=True)
class Use:
    """What a tenant uses of one limit of its own, with everybody below it."""

    name: str
    used: int
    most: int | None


def below(request: HttpRequest) -> QuerySet[Tenant]:
    """Return the live tenants below the actor's own: nobody acts on the own one here."""
    return live_tenants().exclude(pk=request.actor.tenant_id)


def deleted_below() -> QuerySet[Tenant]:
    """Return what was deleted by itself; what went along with it comes back with it."""
    return known_tenants().filter(deleted_at__isnull=False, deleted_with=F("pk"))


@needs("tenants.list")
def customers(request: HttpRequest) -> HttpResponse:
    """Every tenant below the actor's own, with what it uses of its limits."""
    words, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    rows = in_state(request, state).select_related("parent", "allowance", "plan_version__plan")
    parent = None
    if uid := request.GET.get("below", ""):
        parent = get_object_or_404(known_tenants(), uid=uid)
        rows = rows.filter(parent=parent)
    if words:
        rows = rows.filter(name__icontains=words)
    page = page_of(rows, ("name", "pk"), request.GET.get("cursor", ""))
    for tenant, used in zip(page, totals([tenant.path for tenant in page]), strict=True):
        tenant.uses = [Use(name, used[name], getattr(tenant.allowance, name)) for name in SHOWN_LIMITS]
        tenant.until = restorable_until(tenant)
    context = {
        "page": page,
        "words": words,
        "state": state if state in {ACTIVE, SUSPENDED, DELETED} else "",
        "parent": parent,
        "limit_names": SHOWN_LIMITS,
        "shows_parent": any(tenant.parent_id != request.actor.tenant_id for tenant in page),
    }
    return render(request, "tenants/list.html", context)


def in_state(request: HttpRequest, state: str) -> QuerySet[Tenant]:
    if state == DELETED:
        return deleted_below()
    rows = below(request)
    if state == ACTIVE:
        return rows.filter(**WORKS)
    return rows.exclude(**WORKS) if state == SUSPENDED else rows


@needs("tenants.suspend")
def suspend(request: HttpRequest, uid: str) -> HttpResponse:
    tenant = get_object_or_404(below(request), uid=uid)
    form = SuspensionForm(request.POST if request.method == "POST" else None, initial=suspension_of(tenant))
    if form.is_valid():
        with refusals(form):
            # One that takes the place of another is not undone by ending both.
            may_undo = not tenant.is_suspended and request.actor.may(resume_tenant.action)
            suspend_tenant(request.actor, tenant=tenant, **form.cleaned_data)
            undo = reverse("customer-resume", args=[tenant.uid]) if may_undo else ""
            tell(request, _("%(name)s is suspended.") % {"name": tenant.name}, undo=undo)
            return redirect("customer", tenant.uid)
    return render_form(request, "tenants/suspend.html", form, tenant=tenant)


def suspension_of(tenant: Tenant) -> dict:
    """Return what the form starts with: the present suspension, which it replaces, or nothing."""
    if not tenant.is_suspended:
        return {}
    blocks = [name for name in ("sign_in", "sending", "receiving") if getattr(tenant, f"blocks_{name}")]
    return {"reason": tenant.suspension_reason, "note": tenant.suspension_note, "blocks": blocks}


@require_POST
@needs("tenants.resume")
def resume(request: HttpRequest, uid: str) -> HttpResponse:
    tenant = get_object_or_404(below(request), uid=uid)
    with refusals_told(request):
        resumed = resume_tenant(request.actor, tenant=tenant)
        if resumed.stopped:
            messages.warning(
                request,
                _("%(name)s is suspended no longer, but an account above it still is.") % {"name": tenant.name},
            )
        else:
            messages.success(request, _("%(name)s works again, as it did before.") % {"name": tenant.name})
    return redirect("customer", tenant.uid)


@needs("tenants.update")
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    tenant = get_object_or_404(below(request).select_related("allowance"), uid=uid)
    form = TenantForm(
        request.POST if request.method == "POST" else None,
        tenant=tenant,
        initial={"name": tenant.name, "oversell_percent": tenant.oversell_percent},
    )
    if form.is_valid():
        with refusals(form):
            update_tenant(request.actor, tenant=tenant, **form.cleaned_data)
            messages.success(request, _("The changes of %(name)s were saved.") % {"name": form.cleaned_data["name"]})
            return redirect("customer", tenant.uid)
    return render_form(request, "tenants/edit.html", form, tenant=tenant)


@require_POST
@needs("tenants.delete")
@dangerous(back="customer")
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    tenant = get_object_or_404(below(request), uid=uid)
    with refusals_told(request):
        deleted = delete_tenant(request.actor, tenant=tenant)
        until = date_format(restorable_until(deleted), "j F Y")
        text = _("%(name)s was deleted. Restore it until %(until)s.")
        undo = reverse("customer-restore", args=[tenant.uid]) if request.actor.may(restore_tenant.action) else ""
        tell(request, text % {"name": tenant.name, "until": until}, undo=undo)
    return redirect("customer", tenant.uid)


@require_POST
@needs("tenants.restore")
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    tenant = get_object_or_404(deleted_below(), uid=uid)
    with refusals_told(request):
        restore_tenant(request.actor, tenant=tenant)
        messages.success(request, _("%(name)s was restored as it was.") % {"name": tenant.name})
    return redirect("customer", tenant.uid)


@needs("tenants.purge")
@dangerous(back="customer-purge")
def purge(request: HttpRequest, uid: str) -> HttpResponse:
    """Delete what was deleted for good, before its time."""
    tenant = get_object_or_404(deleted_below(), uid=uid)
    form = PurgeForm(request.POST if request.method == "POST" else None, tenant=tenant)
    if form.is_valid():
        with refusals(form):
            purge_tenant(request.actor, tenant=tenant)
            messages.success(
                request, _("%(name)s is being deleted for good; only its audit log stays.") % {"name": tenant.name}
            )
            return redirect("tenants")
    return render_form(request, "tenants/purge.html", form, tenant=tenant)


@needs("tenants.move")
def move(request: HttpRequest, uid: str) -> HttpResponse:
    """Choose another place; with `to`, see what would be in the way there before it is done."""
    tenant = get_object_or_404(below(request).select_related("allowance"), uid=uid)
    target = request.POST.get("to", "") if request.method == "POST" else request.GET.get("to", "")
    if not target:
        if request.method == "POST":
            raise Http404
        return choose_place(request, tenant)
    parent = get_object_or_404(live_tenants(), uid=target)
    if request.method == "POST":
        with refusals_told(request):
            moved = move_tenant(request.actor, tenant=tenant, parent=parent)
            messages.success(
                request, _("%(name)s stands below %(parent)s now.") % {"name": moved.name, "parent": parent.name}
            )
        return redirect("customer", tenant.uid)
    with refusals_told(request):
        check_place(request.actor, tenant, parent)
        found = breaches.of_move(tenant, parent)
        context = {"tenant": tenant, "parent": parent, "breaches": found}
        return render(request, "tenants/move_preview.html", context)
    return redirect("customer-move", tenant.uid)


def choose_place(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    kinds = [kind for kind in Kind.values if tenant.kind in BELOW[kind]]
    rows = live_tenants().filter(kind__in=kinds).exclude(pk=tenant.parent_id).exclude(path__startswith=tenant.path)
    if words:
        rows = rows.filter(name__icontains=words)
    page = page_of(rows, ("name", "pk"), request.GET.get("cursor", ""))
    return render(request, "tenants/move.html", {"tenant": tenant, "page": page, "words": words})
