"""Many mailboxes as one act: every rule of the single act holds, and each step is one statement for all."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from domains.locks import lock_each
from domains.models import Domain
from mailboxes.addresses import display_address, domain_of, normalise_address
from mailboxes.arrivals import Meeting, meet
from mailboxes.batches import Refusals, as_far_as_limits_allow, refuse_too_many, repeated_in_alias_domains
from mailboxes.effective import recalculate_addresses
from mailboxes.models import Alias, Mailbox, QuotaUsage, homes
from mailboxes.operations import (
    check_display_name,
    check_quota,
    opened,
    own_row,
    send_invitation,
    size_in,
    stored_hash,
    taken_by_alias,
    taken_by_mailbox,
    whose,
)
from mailboxes.ownership import domains_for
from mailboxes.waiting import lead_to
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused, SeveralRefused
from mailhost.inserts import insert_all
from mailhost.operation import operation
from mailhost.said import gettext as _
from tenants.limits import release, reserve

# Hashing takes 25 ms of a core each, and a request must end.
MAX_PASSWORDS = 100


@dataclass(frozen=True)
class NewMailbox:
    """What `create_mailbox` is told of one mailbox. `fallback_mb` is its size where neither it nor its domain says."""

    address: str
    storage_quota_mb: int | None = None
    fallback_mb: int | None = None
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
    for place, row in rows.items():
        found = domains[domain_of(row.email)]
        if isinstance(found, Refused):
            refusals.setdefault(place, found)
            continue
        row.domain = found
        try:
            row.storage_quota = size_in(found, row.storage_quota or found.default_quota_mb or items[place].fallback_mb)
        except Refused as refusal:
            refusals.setdefault(place, refusal)
    met = meet({row.email: row.domain_id for row in rows.values() if row.domain_id is not None})
    for place, row in rows.items():
        if row.email in met and (taken := whose(row.email, met[row.email])):
            refusals.setdefault(place, taken)
    wanted = {place: row for place, row in rows.items() if place not in refusals}
    if is_atomic and refusals:
        raise SeveralRefused("items", refusals)
    write = partial(_inserted, met=met)
    made = as_far_as_limits_allow(wanted, refusals, write=write, reserve=_reserve, is_atomic=is_atomic)
    for place, row in made.items():
        if invited := items[place].invite_to:
            send_invitation(row, invited)
    return made, refusals


@operation("mailboxes.suspend")
def suspend_mailboxes(actor: Actor, *, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Suspend up to 1,000 mailboxes; return those that were open. Raises Refused: too_many_items, unchanged."""
    rows = _switched(actor, mailboxes, is_enabled=False)
    _end_sessions(rows)
    return rows


@operation("mailboxes.resume")
def resume_mailboxes(actor: Actor, *, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Open up to 1,000 mailboxes again; return those that were suspended. Raises Refused: too_many_items, unchanged."""
    return _switched(actor, mailboxes, is_enabled=True)


@operation("mailboxes.update")
def set_quotas(actor: Actor, *, mailboxes: Sequence[Mailbox], storage_quota_mb: int) -> list[Mailbox]:
    """Give up to 1,000 mailboxes the same size; return those that had another.

    Raises Refused: too_many_items, invalid_quota, unchanged, limit_reached.
    """
    check_quota(storage_quota_mb)
    rows = [row for row in _locked(actor, mailboxes) if row.storage_quota != storage_quota_mb]
    _refuse_none(rows)
    growth = [(row.domain.owner_path, storage_quota_mb - row.storage_quota) for row in rows]
    _write(rows, storage_quota=storage_quota_mb)
    for path, sizes in _by_tenant(growth):
        reserve(path, storage_mb=sum(sizes))
    return rows


@operation("mailboxes.delete")
def delete_mailboxes(actor: Actor, *, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Delete up to 1,000 mailboxes and their forwards, as `delete_mailbox` does one; return those that were there.

    Raises Refused: too_many_items, unchanged.
    """
    rows = _locked(actor, mailboxes)
    _refuse_none(rows)
    domain_of_address = {row.email: row.domain_id for row in rows}
    now = timezone.now()
    _write(rows, deleted_at=now)
    at_these = Alias.objects.filter(domain_id__in=set(domain_of_address.values()), alias_email__in=domain_of_address)
    forwarding = set(at_these.filter(own_mailbox=None).values_list("alias_email", flat=True))
    at_these.delete()
    QuotaUsage.objects.filter(username__in=domain_of_address).delete()
    led_here = lead_to(dict.fromkeys(domain_of_address), now)
    recalculate_addresses(led_here | repeated_in_alias_domains(domain_of_address))
    _end_sessions(rows)
    for path, freed in _by_tenant((row.domain.owner_path, row) for row in rows):
        forwards = sum(row.email in forwarding for row in freed)
        release(path, mailboxes=len(freed), storage_mb=sum(row.storage_quota for row in freed), aliases=forwards)
    return rows


@operation("mailboxes.restore")
def restore_mailboxes(actor: Actor, *, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Bring up to 1,000 deleted mailboxes back, as `restore_mailbox` does one. Those whose address or domain is
    gone meanwhile stay in the bin. Returns those that are back.

    Raises Refused: too_many_items, limit_reached, unchanged.
    """
    refuse_too_many(mailboxes)
    domains = _homes_of(actor, mailboxes)
    found = Mailbox.objects.deleted().filter(pk__in=[row.pk for row in mailboxes]).select_related("domain")
    wanted = list(found.order_by("email", "-deleted_at", "pk"))
    taken = _taken({row.email for row in wanted})
    # Of two that had the address one after the other, the later comes back.
    latest = {row.email: row for row in reversed(wanted) if row.email not in taken}
    rows = [row for row in sorted(latest.values(), key=str) if (row.domain.domain_name, row.tenant_id) in domains]
    _refuse_none(rows)
    for row in rows:
        row.deleted_at = None
        row.domain = domains[row.domain.domain_name, row.tenant_id]
        row.updated_at = timezone.now()
    try:
        with transaction.atomic():
            Mailbox.objects.bulk_update(rows, ["deleted_at", "domain", "updated_at"])
    except IntegrityError as error:
        raise Refused("taken", "", _("One of these addresses was just given to somebody else. Try again.")) from error
    _forget_usage(latest)
    _answer(rows)
    _reserve(rows)
    return rows


def _locked(actor: Actor, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Return those of the mailboxes that are live, fresh, under the locks of their domains, in the order of ids."""
    refuse_too_many(mailboxes)
    domains = lock_each(actor, Domain.objects.live().filter(pk__in={row.domain_id for row in mailboxes}))
    rows = Mailbox.objects.live().filter(pk__in=[row.pk for row in mailboxes], domain_id__in=domains).order_by("pk")
    found = list(rows)
    for row in found:
        row.domain = domains[row.domain_id]
    return found


def _homes_of(actor: Actor, mailboxes: Sequence[Mailbox]) -> dict[tuple[str, int], Domain]:
    """Return the domains, locked, that deleted mailboxes come back to, by name and tenant."""
    former = Domain.objects.filter(pk__in={row.domain_id for row in mailboxes})
    names = set(former.values_list("domain_name", flat=True))
    locked = lock_each(actor, homes().filter(owned_name__in=names))
    return {(row.domain_name, row.tenant_id): row for row in locked.values() if row.has_proof and not row.is_frozen}


def _refuse_none(rows: Sequence[Mailbox]) -> None:
    if not rows:
        raise Refused("unchanged", "", _("None of these mailboxes needs that: all stand so already, or are gone."))


def _switched(actor: Actor, mailboxes: Sequence[Mailbox], *, is_enabled: bool) -> list[Mailbox]:
    rows = [row for row in _locked(actor, mailboxes) if row.is_enabled != is_enabled]
    _refuse_none(rows)
    _write(rows, is_enabled=is_enabled)
    recalculate_addresses(repeated_in_alias_domains({row.email: row.domain_id for row in rows}))
    return rows


def _write(rows: Sequence[Mailbox], **columns: Any) -> None:
    """Set the same columns of all, in the table and in the rows."""
    Mailbox.objects.filter(pk__in=[row.pk for row in rows]).update(updated_at=timezone.now(), **columns)
    for row in rows:
        for name, value in columns.items():
            setattr(row, name, value)


def _end_sessions(rows: Sequence[Mailbox]) -> None:
    later("mailboxes.tasks.end_sessions_of_mailboxes", mailbox_ids=[row.pk for row in rows])


def _by_tenant(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Gather what belongs to each tenant, by its path: limits are taken from in this order."""
    found = defaultdict(list)
    for path, value in pairs:
        found[path].append(value)
    return sorted(found.items())


def _row_of(item: NewMailbox) -> Mailbox:
    address = normalise_address(item.address)
    if item.storage_quota_mb is not None:
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


def _inserted(rows: list[Mailbox], *, met: Mapping[str, Meeting]) -> list[Mailbox]:
    """Write the mailboxes and their own rows as daemons read them at once, let follow what follows their addresses,
    and take from their tenants' limits."""
    for row in rows:
        row.is_successor = met[row.email].was_held
    own_rows = [opened(row) for row in rows]
    insert_all(rows)
    _forget_usage([row.email for row in rows if met[row.email].was_used])
    for row, own in zip(rows, own_rows, strict=True):
        own.own_mailbox_id = own.target_mailbox_id = row.pk
    insert_all(own_rows)
    if awaited := [row for row in rows if met[row.email].is_awaited]:
        _let_follow(awaited)
    _reserve(rows)
    return rows


def _forget_usage(addresses: Collection[str]) -> None:
    """Drop Dovecot's figures: they stand under addresses, which other mailboxes had."""
    if addresses:
        QuotaUsage.objects.filter(username__in=addresses).delete()


def _answer(rows: list[Mailbox]) -> None:
    """Let addresses answer again: their own rows, the alias domains' rows, the aliases that wait for them."""
    Alias.objects.bulk_create(own_row(row) for row in rows)
    _let_follow(rows)


def _let_follow(rows: list[Mailbox]) -> None:
    touched = lead_to({row.email: row.pk for row in rows}, timezone.now())
    recalculate_addresses(touched | repeated_in_alias_domains({row.email: row.domain_id for row in rows}))


def _reserve(rows: list[Mailbox]) -> None:
    for path, sizes in _by_tenant((row.domain.owner_path, row.storage_quota) for row in rows):
        reserve(path, mailboxes=len(sizes), storage_mb=sum(sizes))
