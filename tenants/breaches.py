"""What a change of plan or place would break: more in use than a limit allows, or more sold than was granted.

The acts call this under their locks, the previews without; so both say the same.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from mailhost.errors import Refused
from mailhost.said import gettext as _
from mailhost.scope import current_scope, every_tenant
from tenants.limits import COUNTED_NAMES, LIMITS, chain_of, totals
from tenants.models import Allowance, Limits, Tenant

IN_USE, SOLD = "in_use", "sold"
Grants = dict[str, int | None]


@dataclass(frozen=True)
class Breach:
    """One limit that would be broken: whose, which, how high it would be, and what is in use or sold of it."""

    holder: Tenant
    limit: str
    what: str
    most: int
    amount: int
    is_own: bool
    """Whether it is the changed tenant's own: its provider may accept that, for nothing is deleted by it."""

    @property
    def is_told(self) -> bool:
        """Whether the caller may know the holder and its figures."""
        return self.holder.path.startswith(current_scope().path)

    def __str__(self) -> str:
        words = LIMITS[self.limit].words
        if not self.is_told:
            return _("The account that provides yours has too few %(what)s left.") % {"what": words}
        if self.what == IN_USE:
            said = _("%(name)s would have %(most)s %(what)s, and %(amount)s are in use.")
        else:
            said = _("%(name)s may sell %(most)s %(what)s in all, and %(amount)s would be sold.")
        return said % {"name": self.holder.name, "most": self.most, "what": words, "amount": self.amount}

    def refusal(self, field: str) -> Refused:
        code = "limit_reached" if self.what == IN_USE else "oversold"
        return Refused(code, field, _("%(self)s Choose a larger plan, or make room first.") % {"self": str(self)})


def of_plans(tenants: Sequence[Tenant], limits: Limits | None, *, locking: bool = False) -> list[Breach]:
    """Return what would be broken if each of these tenants had these limits (None: none of its own).

    `locking` waits for what is just being made or deleted below them.
    """
    grants = grants_of(limits)
    tenants = sorted(tenants, key=lambda tenant: tenant.pk)
    sellers = {tenant.pk: tenant for tenant in tenants}
    found = []
    for tenant, used in zip(tenants, totals([tenant.path for tenant in tenants], locking=locking), strict=True):
        found += _beyond(tenant, IN_USE, grants, used, is_own=True)
    providers = {tenant.parent_id for tenant in tenants if tenant.parent_id} - set(sellers)
    with every_tenant("what is above a tenant limits it"):
        sellers |= Tenant.objects.in_bulk(providers)
    return found + _oversold(sellers, dict.fromkeys((tenant.pk for tenant in tenants), grants))


def of_move(tenant: Tenant, parent: Tenant) -> list[Breach]:
    """Return what would be broken if this tenant stood below that parent."""
    [moved] = totals([tenant.path])
    # The moved tenant is one more account below its new provider, and so are those below it.
    moved["sub_tenants"] += 1
    joined = [pk for pk in chain_of(parent.path) if pk not in chain_of(tenant.path)]
    with every_tenant("what is above a tenant limits it"):
        holders = list(Tenant.objects.select_related("allowance").filter(pk__in=joined).order_by("pk"))
    found = []
    for holder, used in zip(holders, totals([holder.path for holder in holders]), strict=True):
        amounts = {name: used[name] + moved[name] for name in COUNTED_NAMES if moved[name]}
        found += _beyond(holder, IN_USE, grants_of(holder.allowance), amounts, is_own=False)
    return found + _oversold({parent.pk: parent}, {}, joining=grants_of(tenant.allowance))


def grants_of(limits: Limits | None) -> Grants:
    """Return the limits of a plan's version or of an allowance by name; without one, none."""
    return {name: getattr(limits, name) if limits else None for name in COUNTED_NAMES}


def _beyond(holder: Tenant, what: str, most: Grants, amounts: Mapping[str, int], *, is_own: bool) -> Iterator[Breach]:
    for name, amount in amounts.items():
        limit = most[name]
        if limit is not None and amount > limit:
            yield Breach(holder, name, what, limit, amount, is_own)


def _oversold(
    sellers: Mapping[int, Tenant], changed: Mapping[int, Grants], joining: Grants | None = None
) -> list[Breach]:
    """Return what these tenants would have sold beyond their own grants if the `changed` ones had others than now,
    and if one more, with the grants `joining`, stood below each."""
    with every_tenant("what is above a tenant limits it"):
        own = {row["pk"]: row for row in Allowance.objects.filter(pk__in=sellers).values("pk", *COUNTED_NAMES)}
        parents = dict(Tenant.objects.filter(pk__in=changed, deleted_at=None).values_list("pk", "parent"))
        below = Allowance.objects.filter(tenant__parent__in=sellers, is_live=True).exclude(pk__in=changed)
        sold: dict[int | None, Counter[str]] = {pk: Counter() for pk in (*sellers, *parents.values())}
        for row in below.values("tenant__parent").annotate(**{f"sold_{name}": Sum(name) for name in COUNTED_NAMES}):
            sold[row["tenant__parent"]].update({name: row[f"sold_{name}"] or 0 for name in COUNTED_NAMES})
    for pk, parent in parents.items():
        sold[parent].update({name: amount or 0 for name, amount in changed[pk].items()})
    found: list[Breach] = []
    for pk, seller in sellers.items():
        sold[pk].update({name: amount or 0 for name, amount in (joining or {}).items()})
        most = sellable(changed.get(pk) or own[pk], seller.oversell_percent)
        found += _beyond(seller, SOLD, most, sold[pk], is_own=pk in changed)
    return found


def sellable(grants: Grants, oversell_percent: int) -> Grants:
    """Return how much of its own grants a tenant may sell."""
    return {name: None if grants[name] is None else grants[name] * oversell_percent // 100 for name in COUNTED_NAMES}
