"""What tenants use: read as the sum of an index range, counted where it is made, checked by the clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.module_loading import import_string

from mailhost.scope import every_tenant, subtree
from tenants import messages
from tenants.limits import COUNTED_NAMES, LIMITS, told_limits
from tenants.models import Allowance, Member, SentMessages, Tenant

log = structlog.get_logger(__name__)

STORED = ("stored_bytes", "stored_messages")
COLUMNS = (*(f"used_{name}" for name in COUNTED_NAMES), *STORED)
SENT = ("sent_today", "sent_this_month")
# By name, because these stand above this app: each returns {tenant id: {name: how many}} of some tenants, or of all.
COUNTERS = ("tenants.usage.count_tree", "domains.usage.count", "mailboxes.usage.count")
STORED_COUNTER = "mailboxes.usage.stored"
Counts = dict[int, dict[str, int]]


@dataclass(frozen=True)
class Usage:
    """What a tenant uses: itself, and together with everybody below it. By the names of limits, what is stored, and
    what was sent."""

    own: dict[str, int]
    total: dict[str, int]


def usage_of(tenant: Tenant) -> Usage:
    """Return the use of one tenant: two statements however many stand below it."""
    present = present_use_of(tenant)
    with every_tenant("the caller has found the tenant in its own scope"):
        sent = _sent(tenant, timezone.now().date())
    return Usage(present.own | sent.own, present.total | sent.total)


def present_use_of(tenant: Tenant) -> Usage:
    """Return what there is of a tenant's, without what it has sent: one statement. Deleted tenants take nothing of any
    total."""
    with every_tenant("the caller has found the tenant in its own scope"):
        rows = Allowance.objects.filter(subtree("path", tenant.path), is_live=tenant.deleted_at is None)
        found = rows.aggregate(
            **{f"all_{name}": Sum(name) for name in COLUMNS},
            **{f"own_{name}": Sum(name, filter=Q(path=tenant.path)) for name in COLUMNS},
        )
    own = {_short(name): int(found[f"own_{name}"] or 0) for name in COLUMNS}
    total = {_short(name): int(found[f"all_{name}"] or 0) for name in COLUMNS}
    return Usage(own, dict.fromkeys(total, 0) if tenant.deleted_at else total)


def limits_with_use(tenant: Tenant, usage: Usage) -> list[dict[str, Any]]:
    """Return each limit that the caller may know, with what is used and left of it, and its words."""
    amounts = usage.total | messages.used_now(tenant.pk, timezone.now())
    return [
        {
            "name": name,
            "words": LIMITS[name].words.translated,
            "limited_to": most,
            "used": (used := amounts.get(name)),
            "remaining": None if most is None or used is None else max(0, most - used),
        }
        for name, most in told_limits(tenant).items()
    ]


def recount() -> int:
    """Compare every tenant's page with the tables and mend what differs; return how many did.

    A difference is a defect somewhere, so it is logged; nobody pays for it until it is found.
    """
    with every_tenant("the book is checked for all"):
        counted = counts()
        pages = Allowance.objects.values("pk", *(f"used_{name}" for name in COUNTED_NAMES))
        suspects = [page["pk"] for page in pages if _figures(page) != _counted(counted, page["pk"])]
        return sum(_mend(pk) for pk in suspects)


def count_stored() -> None:
    """Bring what Dovecot counted of each mailbox to the pages of their tenants."""
    with every_tenant("what is stored is counted for all"):
        stored = import_string(STORED_COUNTER)()
        for page in Allowance.objects.values("pk", *STORED).order_by("pk"):
            wanted = {name: stored.get(page["pk"], {}).get(name, 0) for name in STORED}
            if wanted != {name: page[name] for name in STORED}:
                Allowance.objects.filter(pk=page["pk"]).update(**wanted)


def counts(tenant_ids: Iterable[int] | None = None) -> Counts:
    """Return what stands in the tables for these tenants, or for all."""
    found: Counts = {}
    for counter in COUNTERS:
        for pk, figures in import_string(counter)(tenant_ids).items():
            found.setdefault(pk, {}).update(figures)
    return found


def count_tree(tenant_ids: Iterable[int] | None = None) -> Counts:
    """Count members and the tenants right below each."""
    found: Counts = {}
    members = Member.objects.order_by()
    # Who was deleted along with its parent stays on the parent's page, and comes back with it.
    below = Tenant.objects.order_by().filter(parent__isnull=False).exclude(deleted_with=F("pk"))
    if tenant_ids is not None:
        members, below = members.filter(tenant__in=tenant_ids), below.filter(parent__in=tenant_ids)
    for pk, number in members.values_list("tenant").annotate(Count("pk")):
        found.setdefault(pk, {})["members"] = number
    for pk, number in below.values_list("parent").annotate(Count("pk")):
        found.setdefault(pk, {})["sub_tenants"] = number
    return found


def _sent(tenant: Tenant, today: date) -> Usage:
    """Return what was sent today and since the month began, by the figures of SENT: an index range for each day."""
    days = [today - timedelta(days=before) for before in range(today.day)]
    rows = SentMessages.objects.filter(subtree("path", tenant.path), day__in=days)
    on, own = Q(day=today), Q(path=tenant.path)
    sums = rows.aggregate(
        own_today=Sum("messages", filter=on & own),
        own_month=Sum("messages", filter=own),
        all_today=Sum("messages", filter=on),
        all_month=Sum("messages"),
    )
    found = [int(sums[name] or 0) for name in ("own_today", "own_month", "all_today", "all_month")]
    return Usage(dict(zip(SENT, found[:2], strict=True)), dict(zip(SENT, found[2:], strict=True)))


def _mend(pk: int) -> bool:
    """Count one tenant again with its page locked: who is just making something has either counted it, or waits."""
    with transaction.atomic():
        page = Allowance.objects.select_for_update().filter(pk=pk).values().first()
        if page is None:
            return False
        counted = _counted(counts([pk]), pk)
        differs = _figures(page) != counted
        if differs:
            log.error("usage_mended", tenant=pk, before=_figures(page), after=counted)
            Allowance.objects.filter(pk=pk).update(**{f"used_{name}": number for name, number in counted.items()})
    return differs


def _figures(page: dict[str, Any]) -> dict[str, int]:
    return {name: page[f"used_{name}"] for name in COUNTED_NAMES}


def _counted(found: Counts, pk: int) -> dict[str, int]:
    return {name: found.get(pk, {}).get(name, 0) for name in COUNTED_NAMES}


def _short(column: str) -> str:
    return column.removeprefix("used_")
