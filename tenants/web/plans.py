"""Pages about plans: what is sold, in which versions, and who has which."""

from collections import Counter
from collections.abc import Sequence

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mailhost.errors import Refused
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell
from tenants import breaches
from tenants.forms import MOST_PLANS, PlanChoiceForm, PlanForm, UpgradeForm
from tenants.limits import LIMITS, chain_of
from tenants.models import Plan, PlanVersion, Tenant
from tenants.plan_operations import assign_plan, change_plan, create_plan, restore_plan, retire_plan, upgrade_tenants
from tenants.plans import live_plans, outdated_tenants, retired_plans, version_for
from tenants.usage import usage_of
from tenants.web.customers import below

# So many tenants are previewed and moved to a plan's present version at once.
MOST_TENANTS = 200
# Other fields of a form than the operation's arguments: "limits.mailboxes" is the field mailboxes.
FIELDS = {f"limits.{name}": name for name in LIMITS}


def sold_plans():
    return live_plans().prefetch_related("versions")


@needs("plans.list")
def plans(request: HttpRequest) -> HttpResponse:
    """The plans that the actor's tenant, and the resellers below it, sell."""
    words = request.GET.get("q", "").strip()
    rows = sold_plans()
    if words:
        rows = rows.filter(name__icontains=words)
    page = page_of(rows, ("name", "pk"), request.GET.get("cursor", ""))
    note_buyers(page.rows)
    shows_owner = any(plan.owner_id != request.actor.tenant_id for plan in page)
    return render(request, "tenants/plans.html", {"page": page, "words": words, "shows_owner": shows_owner})


def note_buyers(rows: Sequence[Plan]) -> None:
    """Note at each plan how many tenants have it, and how many of them an older version."""
    counted = Tenant.objects.order_by().filter(deleted_at=None, plan_version__plan__in=[plan.pk for plan in rows])
    buyers = Counter(dict(counted.values_list("plan_version").annotate(Count("pk"))))
    for plan in rows:
        plan.buyers = sum(buyers[version.pk] for version in plan.versions.all())
        plan.outdated = plan.buyers - buyers[plan.present.pk]
        for version in plan.versions.all():
            version.buyers = buyers[version.pk]


@needs("plans.create")
def add(request: HttpRequest) -> HttpResponse:
    form = PlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form, FIELDS):
            plan = create_plan(
                request.actor, name=form.cleaned_data["name"], limits=form.limits, features=form.features
            )
            messages.success(request, _("The plan %(name)s was created.") % {"name": plan.name})
            return redirect("plan", plan.uid)
    return render_form(request, "tenants/plan_add.html", form)


@needs("plans.update")
def plan(request: HttpRequest, uid: str) -> HttpResponse:
    """One plan: its present limits to change, its versions, and who has which."""
    row = get_object_or_404(sold_plans(), uid=uid)
    form = PlanForm(request.POST if request.method == "POST" else None, initial=state_of(row))
    if form.is_valid():
        before = row.present.number
        with refusals(form, FIELDS):
            change_plan(
                request.actor, plan=row, name=form.cleaned_data["name"], limits=form.limits, features=form.features
            )
            messages.success(request, said(get_object_or_404(sold_plans(), uid=uid), before))
            return redirect("plan", row.uid)
    note_buyers([row])
    versions = sorted(row.versions.all(), key=lambda version: -version.number)
    return render_form(request, "tenants/plan.html", form, plan=row, versions=versions)


def state_of(row: Plan) -> dict:
    present = row.present
    limits = {name: getattr(present, name) for name in LIMITS}
    return {"name": row.name, **limits, **dict.fromkeys(present.features, True)}


def said(row: Plan, before: int) -> str:
    if row.present.number == before:
        return _("The plan %(name)s was saved.") % {"name": row.name}
    return _(
        "Version %(number)s of %(name)s is sold from now on. Who has an older one keeps it until you move them."
    ) % {
        "number": row.present.number,
        "name": row.name,
    }


@require_POST
@needs("plans.delete")
def retire(request: HttpRequest, uid: str) -> HttpResponse:
    row = get_object_or_404(live_plans(), uid=uid)
    with refusals_told(request):
        retire_plan(request.actor, plan=row)
        text = _("%(name)s is sold no longer. Who has it keeps it.")
        tell(request, text % {"name": row.name}, undo=reverse("plan-restore", args=[row.uid]))
    return redirect("plans")


@require_POST
@needs("plans.restore")
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    row = get_object_or_404(retired_plans(), uid=uid)
    with refusals_told(request):
        restore_plan(request.actor, plan=row)
        messages.success(request, _("%(name)s is sold again.") % {"name": row.name})
    return redirect("plans")


@needs("plans.assign")
def upgrade(request: HttpRequest, uid: str) -> HttpResponse:
    """Who has an older version of a plan, what the present one would break for them, and the act."""
    row = get_object_or_404(sold_plans(), uid=uid)
    tenants = list(outdated_tenants(row)[: MOST_TENANTS + 1])
    more, tenants = len(tenants) > MOST_TENANTS, tenants[:MOST_TENANTS]
    form = UpgradeForm(request.POST if request.method == "POST" else None, tenants=tenants)
    if form.is_valid():
        chosen = [tenant for tenant in tenants if tenant.uid in form.cleaned_data["tenants"]]
        with refusals(form, {"plan": "tenants"}):
            moved = upgrade_tenants(
                request.actor, plan=row, tenants=chosen, accept_excess=form.cleaned_data["accept_excess"]
            )
            text = ngettext(
                "%(count)s customer has the present version of %(plan)s now.",
                "%(count)s customers have the present version of %(plan)s now.",
                len(moved),
            )
            messages.success(request, text % {"count": len(moved), "plan": row.name})
            return redirect("plan", row.uid)
    general = note_breaches(tenants, row.present)
    chosen = set(form.data.getlist("tenants")) if form.is_bound else {one.uid for one in tenants if not one.broken}
    for tenant in tenants:
        tenant.is_chosen = tenant.uid in chosen
    context = {"plan": row, "tenants": tenants, "more": more, "general": general}
    return render_form(request, "tenants/plan_upgrade.html", form, **context)


def note_breaches(tenants: Sequence[Tenant], version: PlanVersion) -> list[breaches.Breach]:
    """Note at each tenant which of its own limits the version would break; return what it would break above them."""
    found = breaches.of_plans(tenants, version) if tenants else []
    for tenant in tenants:
        tenant.broken = [breach for breach in found if breach.is_own and breach.holder.pk == tenant.pk]
    return [breach for breach in found if not breach.is_own]


@needs("plans.assign")
def choose(request: HttpRequest, uid: str) -> HttpResponse:
    """Which plan a tenant has; with `plan` in the address, what another one would change and break."""
    tenant = get_object_or_404(below(request).select_related("allowance"), uid=uid)
    # Whoever stands above the tenant sells it a plan, as far up as the actor sees.
    offered = list(sold_plans().filter(owner__in=chain_of(tenant.path)[:-1])[:MOST_PLANS])
    form = PlanChoiceForm(
        request.POST if request.method == "POST" else request.GET or None, plans=offered, initial=present_plan(tenant)
    )
    if not form.is_valid():
        return render_form(request, "tenants/plan_choice.html", form, tenant=tenant)
    wanted = next((row for row in offered if row.uid == form.cleaned_data["plan"]), None)
    if request.method == "POST":
        with refusals(form):
            assign_plan(request.actor, tenant=tenant, plan=wanted, accept_excess=form.cleaned_data["accept_excess"])
            messages.success(request, said_plan(tenant, wanted))
            return redirect("customer", tenant.uid)
    return render_form(request, "tenants/plan_choice.html", form, **preview(tenant, wanted))


def present_plan(tenant: Tenant) -> dict:
    return {"plan": tenant.plan_version.plan.uid if tenant.plan_version else ""}


def said_plan(tenant: Tenant, wanted: Plan | None) -> str:
    if wanted is None:
        return _("%(name)s has no plan any more, and no limits of its own.") % {"name": tenant.name}
    return _("%(name)s has the plan %(plan)s now.") % {"name": tenant.name, "plan": wanted.name}


def preview(tenant: Tenant, wanted: Plan | None) -> dict:
    """Return what the page shows of another plan: each limit now and then beside what is used, and what would break."""
    try:
        version = version_for(tenant, wanted) if wanted else None
    except Refused:
        raise Http404 from None
    found, used = breaches.of_plans([tenant], version), usage_of(tenant).total
    limits = [
        {
            "name": name,
            "used": used.get(name),
            "now": getattr(tenant.allowance, name),
            "then": getattr(version, name, None),
        }
        for name in LIMITS
    ]
    return {
        "tenant": tenant,
        "wanted": wanted,
        "is_preview": True,
        "limits": limits,
        "own": [breach for breach in found if breach.is_own],
        "above": [breach for breach in found if not breach.is_own],
    }
