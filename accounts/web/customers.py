"""A customer's page, and the one that makes a customer: they show and invite people, so they stand here. The list and
the acts on one stand in `tenants.web.customers`."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.customer_operations import create_customer
from accounts.forms import CustomerForm
from accounts.freshness import needs_fresh_sign_in
from accounts.web.members import listed_members, open_invitations
from mailhost.web.forms import refusals, render_form
from mailhost.web.pages import needs
from tenants.deletion_operations import restorable_until
from tenants.forms import MOST_PLANS
from tenants.limits import SUB_RESELLERS, chain_of, has_feature
from tenants.models import Kind, Tenant
from tenants.operations import BELOW
from tenants.plans import live_plans
from tenants.references import known_tenants, live_tenants
from tenants.usage import limits_with_use, usage_of

# More than these are looked for on the page of members.
MOST_PEOPLE = 20
MB = 1024 * 1024
FIELDS = {"email": "owner_email"}


@needs("tenants.list")
def customer(request: HttpRequest, uid: str) -> HttpResponse:
    """One tenant below: what it uses of each limit, its plan, its people, and what can be done to it."""
    if request.actor.tenant_kind == Kind.CUSTOMER:
        raise PermissionDenied(_("A customer has no accounts below it."))
    rows = known_tenants().select_related("allowance").exclude(pk=request.actor.tenant_id)
    tenant = get_object_or_404(rows, uid=uid)
    used = usage_of(tenant)
    sees_people = request.actor.may("members.list")
    context = {
        "tenant": tenant,
        "limits": limits_with_use(tenant, used),
        "stored_mb": used.total["stored_bytes"] / MB,
        "grace_days": settings.MAILHOST_GRACE_DAYS,
        "members": list(listed_members().filter(tenant=tenant)[:MOST_PEOPLE]) if sees_people else [],
        "invitations": list(open_invitations().filter(tenant=tenant)[:MOST_PEOPLE]) if sees_people else [],
        "sees_people": sees_people,
        "until": restorable_until(tenant),
        "was_deleted_with_another": tenant.deleted_at is not None and tenant.deleted_with_id != tenant.pk,
        "sees_plan": tenant.plan_version is not None
        and tenant.plan_version.plan.owner.path.startswith(request.actor.tenant_path),
    }
    return render(request, "accounts/customer.html", context)


@needs("tenants.create")
@needs_fresh_sign_in()
def add(request: HttpRequest) -> HttpResponse:
    """A new customer or reseller, below the actor's own tenant or below the one that `below` names."""
    uid = request.GET.get("below", "")
    own = live_tenants().filter(pk=request.actor.tenant_id)
    parent = get_object_or_404(live_tenants().filter(uid=uid) if uid else own)
    plans = list(live_plans().filter(owner__in=chain_of(parent.path))[:MOST_PLANS])
    form = CustomerForm(
        request.POST if request.method == "POST" else None,
        kinds=kinds_below(parent),
        plans=plans,
    )
    if form.is_valid():
        wanted = form.cleaned_data
        plan = next((one for one in plans if one.uid == wanted["plan"]), None)
        with refusals(form, FIELDS):
            tenant, invitation = create_customer(
                request.actor,
                parent=parent,
                kind=wanted["kind"],
                name=wanted["name"],
                plan=plan,
                owner_email=wanted["owner_email"],
            )
            messages.success(request, said(tenant, invitation))
            return redirect("customer", tenant.uid)
    return render_form(request, "accounts/customer_add.html", form, parent=parent, has_plans=bool(plans))


def kinds_below(parent: Tenant) -> list[str]:
    """Return what may be made below a tenant, customers first."""
    kinds = BELOW[parent.kind]
    if parent.kind == Kind.RESELLER and not has_feature(parent, SUB_RESELLERS):
        kinds -= {Kind.RESELLER}
    return sorted(kinds)


def said(tenant: Tenant, invitation) -> str:
    if invitation is None:
        return _("%(name)s was created. Nobody can sign in there yet.") % {"name": tenant.name}
    return _("%(name)s was created. %(email)s is invited as its owner.") % {
        "name": tenant.name,
        "email": invitation.email,
    }
