"""What a tenant may use: limits along the tree, and the one way to take from them and give back.

A limit binds the tenant that holds it together with everybody below it, so whatever is made is weighed against every
holder from the tenant up to the root. The holders' rows are locked in the order of ids, and last of all: what many
wait for is held for the shortest time, and nobody who holds it waits for anything else. Who comes second counts what
the first has left.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop as _

from mailhost.errors import Refused
from mailhost.said import Said, gettext
from mailhost.scope import current_scope, every_tenant
from tenants.effective import subtree
from tenants.models import Allowance, PlanVersion, Tenant


@dataclass(frozen=True)
class Limit:
    """What can be limited. `field` is the input that a refusal is about."""

    name: str
    words: Said
    field: str = ""


COUNTED = (
    Limit("domains", Said(_("domains"))),
    Limit("mailboxes", Said(_("mailboxes"))),
    Limit("aliases", Said(_("aliases"))),
    Limit("storage_mb", Said(_("MB of mailbox storage")), "storage_quota_mb"),
    Limit("members", Said(_("members"))),
    Limit("sub_tenants", Said(_("accounts below"))),
)
# What passes within a time, counted by whoever lets it pass.
RATES = (
    Limit("messages_per_hour", Said(_("messages an hour"))),
    Limit("messages_per_day", Said(_("messages a day"))),
    Limit("api_requests_per_minute", Said(_("API requests a minute"))),
)
LIMITS = {limit.name: limit for limit in (*COUNTED, *RATES)}
COUNTED_NAMES = tuple(limit.name for limit in COUNTED)

# So many index ranges stand in one statement.
MOST_RANGES = 200

SUB_RESELLERS = "sub_resellers"
# name: what it switches on. Nobody has a feature that no plan grants, nor one that somebody above has not; the
# operator has all.
FEATURES = {SUB_RESELLERS: "Resellers of its own below it"}

# FORCE INDEX: in a small table MariaDB would read, and so lock, every row.
LOCK = """
SELECT path, used_sub_tenants, {columns} FROM tenants_allowance FORCE INDEX (PRIMARY)
WHERE tenant_id IN %s AND (tenant_id = %s OR {limited}) ORDER BY tenant_id FOR UPDATE
"""
TAKE = "UPDATE tenants_allowance SET {changes} WHERE tenant_id = %s"


def limits_of(tenant: Tenant) -> dict[str, int | None]:
    """Return each limit that holds for a tenant: the least of its own and those of everybody above; None for none.

    One query for each Tenant object.
    """
    if "_limits" not in tenant.__dict__:
        with every_tenant("what is above a tenant limits it"):
            rows = list(Allowance.objects.filter(pk__in=chain_of(tenant.path)).values(*LIMITS))
        tenant.__dict__["_limits"] = _least(rows, LIMITS)
    return tenant.__dict__["_limits"]


def limit_of(tenant: Tenant, name: str) -> int | None:
    """Return one of `limits_of`. Raises KeyError for a name that LIMITS does not hold."""
    return limits_of(tenant)[name]


def told_limits(tenant: Tenant) -> dict[str, int | None]:
    """Return what the caller may know of `limits_of`: of what is counted, the limits of those it sees. A provider's
    pool is shared with others, so how large it is says nothing about this tenant."""
    with every_tenant("what is above a tenant limits it"):
        rows = list(Allowance.objects.filter(pk__in=chain_of(tenant.path)).values("path", *LIMITS))
    tenant.__dict__["_limits"] = _least(rows, LIMITS)
    seen = [row for row in rows if row["path"].startswith(current_scope().path)]
    return tenant.__dict__["_limits"] | _least(seen, COUNTED_NAMES)


def _least(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, int | None]:
    held = {name: [row[name] for row in rows if row[name] is not None] for name in names}
    return {name: min(values, default=None) for name, values in held.items()}


def rates_along(path: str, *names: str) -> list[tuple[int, dict[str, int]]]:
    """Return (tenant id, its limits by name) of everybody from the tenant at this path up to the root who holds one of
    these RATES: what passes counts for each of them, because a limit binds its holder with all below. The nearest
    first. One query by primary keys.
    """
    with every_tenant("what is above a tenant limits it"):
        rows = list(Allowance.objects.filter(pk__in=chain_of(path)).order_by("-path").values("pk", *names))
    held = ((row["pk"], {name: row[name] for name in names if row[name] is not None}) for row in rows)
    return [(pk, limits) for pk, limits in held if limits]


def has_feature(tenant: Tenant, feature: str) -> bool:
    """Say whether a plan of the tenant's grants the feature and nobody above lacks it."""
    ids = chain_of(tenant.path)[1:]
    with every_tenant("what is above a tenant limits it"):
        granted = PlanVersion.objects.filter(tenants__in=ids).values_list("features", flat=True)
        return sum(feature in features for features in granted) == len(ids)


def reserve(tenant_path: str, **amounts: int) -> None:
    """Take so much for the tenant at this path: `reserve(path, mailboxes=1, storage_mb=500)`.

    Call it as an operation's last change, inside its transaction, with the tenant's row locked or shared: a refusal
    takes back everything before it. `release` gives back what is deleted. Raises Refused("limit_reached") that names
    the limit, its holder if the caller may know it, and the use.
    """
    wanted = {name: amount for name, amount in amounts.items() if amount}
    if not wanted:
        return
    holders = _lock(tenant_path, tuple(wanted))
    _refuse_excess(tenant_path, wanted, holders, _used(holders, tuple(wanted)))
    _add(tenant_path, wanted)


def take_in(parent_path: str, amounts: Mapping[str, int]) -> None:
    """Weigh what a whole subtree has brought below this path, where it stands already, against everybody above.

    As `reserve`, an operation's last change. Raises Refused("limit_reached").
    """
    brought = {name: amount for name, amount in amounts.items() if amount}
    if not brought:
        return
    holders = _lock(parent_path, tuple(brought))
    present = totals([holder.path for holder in holders], tuple(brought))
    before = [{name: used[name] - brought[name] for name in brought} for used in present]
    _refuse_excess(parent_path, brought, holders, before)


def release(tenant_path: str, **amounts: int) -> None:
    """Give back what was reserved: what it was for is deleted."""
    given = {name: -amount for name, amount in amounts.items() if amount}
    if given:
        _add(tenant_path, given)


def totals(
    paths: Sequence[str], names: tuple[str, ...] = COUNTED_NAMES, *, locking: bool = False
) -> list[dict[str, int]]:
    """Return what each of these subtrees uses in all: an index range each. `locking` waits for what is just being
    made or deleted there, and keeps it from changing until the transaction ends."""
    found: list[dict[str, int]] = []
    for part in batched(paths, 1 if locking else MOST_RANGES):
        found += _totals(part, names, "LOCK IN SHARE MODE" if locking else "")
    return found


def chain_of(path: str) -> tuple[int, ...]:
    """Return the ids on a path, from the root down: "/1/5/" is (1, 5)."""
    return tuple(int(part) for part in path.strip("/").split("/"))


def batched(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


@dataclass(frozen=True)
class Holder:
    """A tenant on the way up, with those of its limits that are asked for and what it uses of them itself."""

    path: str
    limits: dict[str, int]
    used: dict[str, int]
    is_leaf: bool


def _lock(path: str, names: tuple[str, ...]) -> list[Holder]:
    """Lock the tenant's row and those of all above it that hold one of these limits. Return who holds one."""
    chain = chain_of(path)
    columns = ", ".join([*names, *(f"used_{name}" for name in names)])
    limited = " OR ".join(f"{name} IS NOT NULL" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(LOCK.format(columns=columns, limited=limited), [chain, chain[-1]])
        rows = cursor.fetchall()
    holders = []
    for row_path, below, *columns in rows:
        limits = {name: limit for name, limit in zip(names, columns, strict=False) if limit is not None}
        used = dict(zip(names, columns[len(names) :], strict=True))
        if limits:
            holders.append(Holder(row_path, limits, used, is_leaf=not below))
    return holders


def _used(holders: list[Holder], names: tuple[str, ...]) -> list[dict[str, int]]:
    """Return what each of these uses with all below it. Who has nobody below is known already."""
    if all(holder.is_leaf for holder in holders):
        return [holder.used for holder in holders]
    return totals([holder.path for holder in holders], names)


def _totals(paths: Sequence[str], names: tuple[str, ...], lock: str) -> list[dict[str, int]]:
    sums = ", ".join(f"COALESCE(SUM(used_{name}), 0)" for name in names)
    queries, values = [], []
    for number, path in enumerate(paths):
        which, bounds = subtree("path", path)
        # The names are those of LIMITS, the paths are bound.
        queries.append(f"SELECT {number}, {sums} FROM tenants_allowance WHERE {which} AND is_live = 1 {lock}")  # noqa: S608
        values += bounds
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries), values)
        found = {number: dict(zip(names, map(int, used), strict=True)) for number, *used in cursor.fetchall()}
    return [found[number] for number in range(len(paths))]


def _refuse_excess(path: str, wanted: dict[str, int], holders: list[Holder], used: list[dict[str, int]]) -> None:
    """Raise Refused("limit_reached") when one of the holders has too little left."""
    # The nearest first: of two limits that are reached, the tenant's own is the one it can read and act on.
    for holder, present in reversed(list(zip(holders, used, strict=True))):
        for name, most in holder.limits.items():
            # What gives back is never refused, even where more is in use than a smaller plan allows.
            if wanted[name] > 0 and present[name] + wanted[name] > most:
                raise Excess(holder.path, LIMITS[name], most, present[name], wanted[name]).refusal(path)


def _add(path: str, amounts: dict[str, int]) -> None:
    changes = ", ".join(f"used_{name} = used_{name} + %s" for name in amounts)
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(changes=changes), [*amounts.values(), chain_of(path)[-1]])


@dataclass(frozen=True)
class Excess:
    """What would be more than a limit allows: whose limit, how high it is, what is in use, what was asked for."""

    holder_path: str
    limit: Limit
    most: int
    used: int
    wanted: int

    def refusal(self, path: str) -> Refused:
        """Say it to whoever asked for the tenant at `path`. Who is above the caller, and how much the others below
        that one use, is not told."""
        words = self.limit.words
        if not self.holder_path.startswith(current_scope().path):
            [own] = totals([path], (self.limit.name,))
            message = gettext(
                "The account that provides yours has too few %(what)s left: you use %(used)s and asked for %(wanted)s "
                "more. Delete some, or ask your provider for more."
            )
            told = {"what": words, "used": own[self.limit.name], "wanted": self.wanted}
            return Refused("limit_reached", self.limit.field, message % told)
        with every_tenant("the holder of a limit is in the caller's own scope"):
            name = Tenant.objects.values_list("name", flat=True).get(pk=chain_of(self.holder_path)[-1])
        if self.holder_path == path:
            message = gettext(
                "%(name)s may have %(most)s %(what)s: %(used)s are in use, %(wanted)s more were asked for. "
                "Delete some, or choose a larger plan."
            )
        else:
            message = gettext(
                "%(name)s may have %(most)s %(what)s together with the accounts below it: %(used)s are in use, "
                "%(wanted)s more were asked for. Delete some, or choose a larger plan."
            )
        told = {"name": name, "most": self.most, "what": words, "used": self.used, "wanted": self.wanted}
        return Refused("limit_reached", self.limit.field, message % told)
