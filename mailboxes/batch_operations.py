"""Many mailboxes as one act: every rule of the single act holds, and each step is one statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from mailboxes.addresses import display_address, domain_of, normalise_address
from mailboxes.batches import Refusals, as_far_as_limits_allow, refuse_too_many, repeated_in_alias_domains
from mailboxes.effective import recalculate_addresses
from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.operations import (
    check_display_name,
    check_quota,
    send_invitation,
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

# Hashing takes 25 ms of a core each, and a request must end.
MAX_PASSWORDS = 100


@dataclass(frozen=True)
class NewMailbox:
    """What `create_mailbox` is told of one mailbox."""

    address: str
    storage_quota_mb: int
    password: str | None = None
    password_hash: str | None = None
    invite_to: str | None = None
    display_name: str = ""


@operation("mailboxes.create", secrets=("items",))
def create_mailboxes(
    actor: Actor, *, items: Sequence[NewMailbox], is_atomic: bool
) -> tuple[dict[int, Mailbox], Refusals]:
    """Create up to 1,000 mailboxes; return those made and those refused, each by its place in `items`.

    Raises Refused("too_many_items"), Refused("too_many_passwords"); when `is_atomic` SeveralRefused, and
    Refused("limit_reached"). What one item is refused for is as with `create_mailbox`.
    """
    refuse_too_many(items)
    if sum(1 for item in items if item.password) > MAX_PASSWORDS:
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
    made = as_far_as_limits_allow(wanted, refusals, write=_inserted, reserve=_reserve, is_atomic=is_atomic)
    for place, row in made.items():
        if invited := items[place].invite_to:
            send_invitation(row, invited)
    return made, refusals


def _row_of(item: NewMailbox) -> Mailbox:
    address = normalise_address(item.address)
    check_quota(item.storage_quota_mb)
    check_display_name(item.display_name)
    return Mailbox(
        email=address,
        password_hash=stored_hash(address, item.password, item.password_hash, item.invite_to),
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


def _inserted(rows: list[Mailbox]) -> list[Mailbox]:
    """Write the mailboxes, let their addresses answer, and take from their tenants' limits."""
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
    touched = lead_to({row.email: row.pk for row in rows}, timezone.now())
    recalculate_addresses(touched | repeated_in_alias_domains({row.email: row.domain_id for row in rows}))
    _reserve(rows)
    return rows


def _reserve(rows: list[Mailbox]) -> None:
    by_tenant = defaultdict(list)
    for row in rows:
        by_tenant[row.domain.owner_path].append(row.storage_quota)
    for path, sizes in sorted(by_tenant.items()):
        reserve(path, mailboxes=len(sizes), storage_mb=sum(sizes))
