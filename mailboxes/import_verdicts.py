"""What an import would do with each row, asked as a set and without a lock: the preview.

It promises nothing: the work asks again, under the locks of the operations that it calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from mailboxes.addresses import display_address, domain_of, normalise_address, normalise_source
from mailboxes.alias_operations import stored_targets
from mailboxes.import_table import ALIASES, Row, targets_in
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import (
    check_display_name,
    check_invited,
    check_quota,
    taken_by_alias,
)
from mailboxes.ownership import homes_of
from mailboxes.passwords import accept_hash, check_password
from mailhost.errors import Refused
from mailhost.said import gettext as _
from mailhost.web.sizes import in_mb

CREATE, CHANGE, SAME, REFUSED = "create", "change", "same", "refused"
SECRETS = ("password", "password_hash", "invite_to")
# Addresses in one statement.
AT_ONCE = 1000


@dataclass
class Verdict:
    """A row, its address as it is read, what would come of it, and why not."""

    line: int
    address: str
    outcome: str
    why: str = ""


@dataclass
class Wanted:
    """A row in the words of the operations; `line` is the first of those that it was put together from."""

    line: int
    address: str
    arguments: dict[str, Any] = field(default_factory=dict)


def wanted_of(kind: str, rows: Sequence[Row]) -> tuple[list[Wanted], list[Verdict]]:
    """Return the rows that have the right shape, and those that are refused for what they are alone."""
    read, main = (_alias, "source") if kind == ALIASES else (_mailbox, "email")
    wanted: dict[str, Wanted] = {}
    refused = []
    for row in rows:
        try:
            one = read(row)
        except Refused as refusal:
            refused.append(Verdict(row.line, row.cells.get(main, "")[:254], REFUSED, refusal.message))
            continue
        first = wanted.setdefault(one.address, one)
        if first is not one and kind == ALIASES:
            # A table that has a line for each target means one alias.
            targets = first.arguments["targets"]
            targets += [target for target in one.arguments["targets"] if target not in targets]
        elif first is not one:
            why = _("This address stands in line %(line)d already.") % {"line": first.line}
            refused.append(Verdict(row.line, one.address, REFUSED, why))
    return list(wanted.values()), refused


def verdicts_on(kind: str, wanted: Sequence[Wanted]) -> Iterator[Verdict]:
    """Judge rows of the right shape against what is there, within the present scope."""
    judge = _judge_aliases if kind == ALIASES else _judge_mailboxes
    homes = homes_of({domain_of(one.address) for one in wanted}, field="address")
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        judged = judge(some, [one.address for one in some])
        for one in some:
            home = homes[domain_of(one.address)]
            outcome, why = (REFUSED, home.message) if isinstance(home, Refused) else judged[one.address]
            yield Verdict(one.line, display_address(one.address), outcome, why)


def differences(mailbox: Mailbox, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what of a row a mailbox has otherwise, as `update_mailbox` takes it."""
    now = {"display_name": mailbox.display_name, "storage_quota_mb": mailbox.storage_quota}
    return {name: arguments[name] for name in now if name in arguments and arguments[name] != now[name]}


def _mailbox(row: Row) -> Wanted:
    address = normalise_address(row.cells.get("email", ""))
    arguments: dict[str, Any] = {name: row.cells[name] for name in SECRETS if name in row.cells}
    if len(arguments) > 1:
        message = _("Give a password, the hash of one, or an address to invite; not several of them.")
        raise Refused("several_passwords", "password", message)
    if "password" in arguments:
        check_password(arguments["password"], address=address)
    if "password_hash" in arguments:
        accept_hash(arguments["password_hash"])
    if "invite_to" in arguments:
        check_invited(address, arguments["invite_to"])
    if "display_name" in row.cells:
        check_display_name(row.cells["display_name"])
        arguments["display_name"] = row.cells["display_name"]
    if "storage_quota_mb" in row.cells:
        size_mb = in_mb(row.cells["storage_quota_mb"])
        if size_mb is None:
            message = _("“%(text)s” is no size. Write MB as a number, or for example 2 GB.")
            raise Refused("invalid_quota", "storage_quota_mb", message % {"text": row.cells["storage_quota_mb"][:40]})
        check_quota(size_mb)
        arguments["storage_quota_mb"] = size_mb
    return Wanted(row.line, address, arguments)


def _alias(row: Row) -> Wanted:
    source = normalise_source(row.cells.get("source", ""))
    return Wanted(row.line, source, {"targets": stored_targets(source, targets_in(row.cells.get("targets", "")))})


def _judge_mailboxes(wanted: Sequence[Wanted], addresses: list[str]) -> dict[str, tuple[str, str]]:
    present = {row.email: row for row in Mailbox.objects.live().filter(email__in=addresses)}
    aliases = set(_written(addresses).values_list("alias_email", flat=True))
    judged = {}
    for one in wanted:
        mailbox = present.get(one.address)
        if mailbox is not None:
            changes = differences(mailbox, one.arguments).keys() | {"password", "password_hash"} & one.arguments.keys()
            judged[one.address] = (CHANGE if changes else SAME, "")
        elif one.address in aliases:
            judged[one.address] = (REFUSED, taken_by_alias(one.address).message)
        elif not any(name in one.arguments for name in SECRETS):
            message = _("A new mailbox needs a password, the hash of one, or an address to invite.")
            judged[one.address] = (REFUSED, message)
        else:
            judged[one.address] = (CREATE, "")
    return judged


def _judge_aliases(wanted: Sequence[Wanted], addresses: list[str]) -> dict[str, tuple[str, str]]:
    present = targets_present(addresses)
    judged = {}
    for one in wanted:
        has = present.get(one.address, set())
        missing = [target for target in one.arguments["targets"] if target not in has]
        judged[one.address] = ((CREATE if not has else CHANGE) if missing else SAME, "")
    return judged


def targets_present(addresses: Sequence[str]) -> dict[str, set[str]]:
    """Return where these sources lead now."""
    found: dict[str, set[str]] = {}
    for source, target in _written(addresses).values_list("alias_email", "destination_email"):
        found.setdefault(source, set()).add(target)
    return found


def _written(addresses: Sequence[str]) -> QuerySet:
    return Alias.objects.filter(alias_email__in=addresses, own_mailbox=None)
