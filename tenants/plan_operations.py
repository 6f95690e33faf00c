"""Every change of plans, and of who has which."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _
from tenants import breaches
from tenants.limits import FEATURES, LIMITS
from tenants.locks import lock_branch, lock_branches, share_tenant
from tenants.models import Plan, PlanVersion, Tenant
from tenants.operations import check_name
from tenants.plans import grant, live_plans, outdated_tenants, refuse_plan_from_above, retired_plans, version_for

MAX_LIMIT = 10**12
MAX_OVERSELL_PERCENT = 10_000


@operation("plans.create")
def create_plan(
    actor: Actor, *, name: str, limits: Mapping[str, int | None] | None = None, features: Sequence[str] = ()
) -> Plan:
    """Create a plan of the actor's tenant, to be sold to those below it. A limit that is not named is none.

    Raises Refused: invalid_name, taken, invalid_limit, invalid_feature.
    """
    owner = share_tenant(actor, Tenant(pk=actor.tenant_id))
    checked = _check_limits(limits or {})
    features = _check_features(features)
    try:
        with transaction.atomic():
            plan = Plan.objects.create(owner=owner, name=check_name(name))
    except IntegrityError as error:
        raise _taken(name) from error
    PlanVersion.objects.create(plan=plan, number=1, features=features, **checked)
    return plan


@operation("plans.update")
def change_plan(
    actor: Actor,
    *,
    plan: Plan,
    name: str | None = None,
    limits: Mapping[str, int | None] | None = None,
    features: Sequence[str] | None = None,
) -> Plan:
    """Rename a plan, or give it a new version with these limits in place of the present ones. Limits that are not
    named stay. Who has the plan keeps the version that was sold until `upgrade_tenants`.

    Raises Refused: not_found, invalid_name, taken, invalid_limit, invalid_feature.
    """
    plan = _locked(plan)
    if name is not None and check_name(name) != plan.name:
        plan.name = check_name(name)
        try:
            with transaction.atomic():
                plan.save(update_fields=["name", "updated_at"])
        except IntegrityError as error:
            raise _taken(plan.name) from error
    present = plan.present
    wanted = {each: getattr(present, each) for each in LIMITS} | _check_limits(limits or {})
    wanted["features"] = present.features if features is None else _check_features(features)
    if any(getattr(present, each) != value for each, value in wanted.items()):
        PlanVersion.objects.create(plan=plan, number=present.number + 1, **wanted)
        plan.save(update_fields=["updated_at"])
    return plan


@operation("plans.delete")
def retire_plan(actor: Actor, *, plan: Plan) -> Plan:
    """Sell a plan no longer; its name is free. Who has it keeps it. Raises Refused: not_found."""
    plan = _locked(plan)
    plan.retired_at = timezone.now()
    plan.save(update_fields=["retired_at", "updated_at"])
    return plan


@operation("plans.restore")
def restore_plan(actor: Actor, *, plan: Plan) -> Plan:
    """Sell a plan again that was retired, unless another one has its name by now. Raises Refused: not_found, taken."""
    plan = _locked(plan, retired_plans())
    plan.retired_at = None
    try:
        with transaction.atomic():
            plan.save(update_fields=["retired_at", "updated_at"])
    except IntegrityError as error:
        raise _taken(plan.name) from error
    return plan


@operation("plans.assign")
def assign_plan(actor: Actor, *, tenant: Tenant, plan: Plan | None, accept_excess: bool = False) -> Tenant:
    """Give a tenant the present version of a plan, or with None no limits of its own.

    A plan that allows less than the tenant and those below it use is refused unless `accept_excess`: nothing is
    deleted then, and nothing more is made until there is room. What the provider may not sell is always refused.
    Raises Refused: not_found, own_tenant, unknown_plan, plan_from_above, limit_reached, oversold.
    """
    tenant = lock_branch(tenant)
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "", _("You cannot choose the plan of your own account."))
    refuse_plan_from_above(actor, tenant)
    grant([tenant], version_for(tenant, plan) if plan else None, accept_excess=accept_excess)
    tenant.refresh_from_db()
    return tenant


@operation("plans.assign")
def upgrade_tenants(
    actor: Actor, *, plan: Plan, tenants: Sequence[Tenant], accept_excess: bool = False
) -> list[Tenant]:
    """Move tenants that have an older version of a plan to its present one: all of them, or none.

    Raises Refused: not_found, unchanged, plan_from_above, limit_reached, oversold.
    """
    locked = lock_branches(*tenants)
    plan = live_plans().filter(pk=plan.pk).first() or _missing()
    outdated = set(outdated_tenants(plan).values_list("pk", flat=True))
    if not locked or not {tenant.pk for tenant in locked} <= outdated:
        raise Refused(
            "unchanged", "tenants", _("Name tenants that have an older version of %(name)s.") % {"name": plan.name}
        )
    for tenant in locked:
        refuse_plan_from_above(actor, tenant)
    grant(locked, plan.present, accept_excess=accept_excess)
    return locked


@operation("tenants.update")
def update_tenant(
    actor: Actor, *, tenant: Tenant, name: str | None = None, oversell_percent: int | None = None
) -> Tenant:
    """Rename a tenant, or say how much of its own grant it may sell, in percent: 100 is all of it once, 250 two and a
    half times. What its customers use together is bound by the grant all the same.

    Raises Refused: not_found, invalid_name, own_tenant, invalid_percent, oversold.
    """
    tenant = lock_branch(tenant)
    if name is not None:
        tenant.name = check_name(name)
    if oversell_percent is not None and oversell_percent != tenant.oversell_percent:
        _set_oversell(actor, tenant, oversell_percent)
    tenant.save(update_fields=["name", "oversell_percent", "updated_at"])
    return tenant


def _set_oversell(actor: Actor, tenant: Tenant, percent: int) -> None:
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "oversell_percent", _("You cannot say how much your own account may sell."))
    if not 100 <= percent <= MAX_OVERSELL_PERCENT:
        raise Refused(
            "invalid_percent",
            "oversell_percent",
            _("Give a number from 100 to %(max_oversell_percent)s.") % {"max_oversell_percent": MAX_OVERSELL_PERCENT},
        )
    tenant.oversell_percent = percent
    for breach in breaches.of_plans([tenant], tenant.allowance):
        if breach.what == breaches.SOLD and breach.is_own:
            raise breach.refusal("oversell_percent")


def _check_limits(limits: Mapping[str, Any]) -> dict[str, int | None]:
    for name, value in limits.items():
        if name not in LIMITS:
            raise Refused("invalid_limit", f"limits.{name}", _("There is no limit %(name)s.") % {"name": name})
        if value is not None and not 0 <= value <= MAX_LIMIT:
            raise Refused(
                "invalid_limit",
                f"limits.{name}",
                _("A limit is a number from 0 to %(max_limit)s, or none.") % {"max_limit": MAX_LIMIT},
            )
    return dict(limits)


def _check_features(features: Sequence[str]) -> list[str]:
    for name in features:
        if name not in FEATURES:
            raise Refused(
                "invalid_feature",
                "features",
                _("There is no feature %(name)s. Known: %(names)s.") % {"name": name, "names": ", ".join(FEATURES)},
            )
    return sorted(set(features))


def _taken(name: str) -> Refused:
    return Refused("taken", "name", _("You have a plan %(name)s already. Choose another name.") % {"name": name})


def _locked(plan: Plan, among: QuerySet[Plan] | None = None) -> Plan:
    """Return the plan, fresh: its versions follow one another under the lock of its owner. `among`: the live ones."""
    found = (live_plans() if among is None else among).filter(pk=plan.pk)
    lock_branch((found.first() or _missing()).owner)
    # The same question again: what waited for the lock may find it answered otherwise.
    return found.all().first() or _missing()


def _missing() -> Plan:
    raise Refused("not_found", "", _("This plan does not exist."))
