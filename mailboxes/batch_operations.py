"""Many mailboxes as one act: every rule of the single act holds, and each step is one statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from domains.models import Domain
from mailboxes.addresses import display_address, domain_of, normalise_address
from mailboxes.effective import recalculate_addresses
from mailboxes.mirror import follow_addresses
from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.operations import (
    check_display_name,
    check_quota,
    stored_hash,
    taken_by_alias,
    taken_by_mailbox,
)
from mailboxes.ownership import domains_for
from mailboxes.waiting import lead_to
from mailhost.actor import Actor
from mailhost.errors import Refused, SeveralRefused
from mailhost.operation import operation
from tenants.limits import reserve

MAX_ITEMS = 1000
# Hashing takes 25 ms of a core each, and a request must end.
MAX_PASSWORDS = 100
Refusals = dict[int, Refused]


@dataclass(frozen=True)
class NewMailbox:
    """What `create_mailbox` is told of one mailbox."""

    address: str
    storage_quota_mb: int
    password: str | None = None
    password_hash: str | None = None
    display_name: str = ""


@operation("mailboxes.create", secrets=("items",))
def create_mailboxes(
    actor: Actor, *, items: Sequence[NewMailbox], is_atomic: bool
) -> tuple[dict[int, Mailbox], Refusals]:
    """Create up to 1,000 mailboxes; return those made and those refused, each by its place in `items`.

    Raises Refused("too_many_items"), Refused("too_many_passwords"); when `is_atomic` SeveralRefused, and
    Refused("limit_reached"). What one item is refused for is as with `create_mailbox`.
    """
    _refuse_too_many(items)
    if sum(1 for item in items if not item.password_hash) > MAX_PASSWORDS:
        message = f"A batch takes at most {MAX_PASSWORDS} passwords that must be hashed here. Send hashes, or less."
        raise Refused("too_many_passwords", "items", message)
    refusals: Refusals = {}
    rows: dict[int, Mailbox] = {}
    for place, item in enumerate(items):
        try:
            rows[place] = _row_of(item)
        except Refused as refusal:
            refusals[place] = refusal
    _refuse_twice(rows, refusals)
    domains = domains_for(actor, {domain_of(row.email) for row in rows.values()}, field="address")
    taken = _taken({row.email for row in rows.values()})
    for place, row in rows.items():
        found = taken.get(row.email) or domains[domain_of(row.email)]
        if isinstance(found, Refused):
            refusals.setdefault(place, found)
        else:
            row.domain = found
    wanted = {place: row for place, row in rows.items() if place not in refusals}
    if is_atomic and refusals:
        raise SeveralRefused("items", refusals)
    return _as_far_as_limits_allow(wanted, refusals, is_atomic=is_atomic), refusals


def _refuse_too_many(items: Sequence[object]) -> None:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Refused("too_many_items", "items", f"A batch has 1 to {MAX_ITEMS} items.")


def _row_of(item: NewMailbox) -> Mailbox:
    address = normalise_address(item.address)
    check_quota(item.storage_quota_mb)
    check_display_name(item.display_name)
    return Mailbox(
        email=address,
        password_hash=stored_hash(address, item.password, item.password_hash),
        display_name=item.display_name,
        storage_quota=item.storage_quota_mb,
    )


def _refuse_twice(rows: dict[int, Mailbox], refusals: Refusals) -> None:
    seen: set[str] = set()
    for place, row in rows.items():
        if row.email in seen:
            message = f"{display_address(row.email)} stands in this batch twice."
            refusals[place] = Refused("taken", "address", message)
        seen.add(row.email)


def _taken(addresses: set[str]) -> dict[str, Refused]:
    mailboxes = Mailbox.objects.live().filter(email__in=addresses).values_list("email", flat=True)
    aliases = Alias.objects.filter(alias_email__in=addresses, own_mailbox=None).values_list("alias_email", flat=True)
    found = {email: taken_by_alias(email) for email in aliases}
    return found | {email: taken_by_mailbox(email) for email in mailboxes}


def _as_far_as_limits_allow(wanted: dict[int, Mailbox], refusals: Refusals, *, is_atomic: bool) -> dict[int, Mailbox]:
    """Insert all of them, or as many from the first on as the limits allow, and refuse the others."""
    places = list(wanted)
    rows = list(wanted.values())
    try:
        with transaction.atomic():
            return dict(zip(places, _inserted(rows), strict=True))
    except Refused as refusal:
        if is_atomic:
            raise Refused(refusal.code, "items", refusal.message) from refusal
        count = _most_allowed(rows)
        refusals |= dict.fromkeys(places[count:], refusal)
    return dict(zip(places[:count], _inserted(rows[:count]), strict=True))


def _most_allowed(rows: list[Mailbox]) -> int:
    """Return how many of these, from the first on, the limits allow: fewer than all, found by halving."""
    fits, fails = 0, len(rows)
    while fails - fits > 1:
        count = (fits + fails) // 2
        try:
            with transaction.atomic():
                _reserve(rows[:count])
                transaction.set_rollback(True)
            fits = count
        except Refused:
            fails = count
    return fits


def _inserted(rows: list[Mailbox]) -> list[Mailbox]:
    """Write the mailboxes, let their addresses answer, and take from their tenants' limits."""
    if not rows:
        return []
    addresses = [row.email for row in rows]
    Mailbox.objects.bulk_create(rows)
    QuotaUsage.objects.filter(username__in=addresses).delete()
    Alias.objects.bulk_create(
        Alias(
            domain_id=row.domain_id,
            alias_email=row.email,
            destination_email=row.email,
            own_mailbox=row,
            target_mailbox=row,
        )
        for row in rows
    )
    touched = {*addresses, *lead_to({row.email: row.pk for row in rows}, timezone.now())}
    recalculate_addresses(touched | _repeated(rows))
    _reserve(rows)
    return rows


def _repeated(rows: list[Mailbox]) -> set[str]:
    """Let the alias domains of these mailboxes' domains follow; return the addresses there."""
    followed = Domain.objects.filter(alias_of__in={row.domain_id for row in rows}, is_live=1)
    return {
        address
        for domain_id in set(followed.values_list("alias_of_id", flat=True))
        for address in follow_addresses(domain_id, [row.email for row in rows if row.domain_id == domain_id])
    }


def _reserve(rows: list[Mailbox]) -> None:
    by_tenant = defaultdict(list)
    for row in rows:
        by_tenant[row.domain.owner_path].append(row.storage_quota)
    for path, sizes in sorted(by_tenant.items()):
        reserve(path, mailboxes=len(sizes), storage_mb=sum(sizes))
