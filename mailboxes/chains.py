"""Aliases that lead to aliases: routed while the end of the chain takes mail.

Postfix accepts whatever an alias row names and finds out later that nobody is there, so a row that leads to an
address of this server is routed only while that address answers: as a mailbox, as an alias that is routed itself,
or through a catch-all. Rows that would keep only each other alive (a catch-all can close a circle when what stood
before it goes) are not routed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mailboxes.addresses import base_address, domain_of, local_of

# Whether the row itself and the domains at both ends allow it.
MAY = """(
    domain.is_verified AND alias.is_enabled AND COALESCE(source.may_receive, 1)
    AND COALESCE(target_domain.is_verified, 1)
)"""
# Rows whose target is no mailbox of ours; of those that lead outside only the ones that are not as they should be.
CANDIDATES = f"""
SELECT id, alias_email, destination_email, is_local, may, is_routed FROM (
    SELECT alias.id, alias.alias_email, alias.destination_email, alias.is_routed,
           target_domain.id IS NOT NULL AS is_local,
           {MAY} AS may
    FROM ({{which}}) chosen
    STRAIGHT_JOIN mail_aliases alias ON alias.id = chosen.id
    STRAIGHT_JOIN mail_domains domain ON domain.id = alias.domain_id
    LEFT JOIN mail_mailboxes source ON source.email = alias.alias_email AND source.is_live = 1
    LEFT JOIN mail_domains target_domain ON target_domain.owned_name = SUBSTRING_INDEX(alias.destination_email, '@', -1)
    WHERE alias.target_mailbox_id IS NULL AND NOT alias.is_denial
) candidate
WHERE is_local OR may <> is_routed
"""  # noqa: S608 - put together from the constant above
EVERY = "SELECT id FROM mail_aliases WHERE target_mailbox_id IS NULL"
AT_OR_TO = """
SELECT id FROM mail_aliases WHERE alias_email IN %s UNION SELECT id FROM mail_aliases WHERE next_stop IN %s"""
TO_DOMAIN = " UNION SELECT id FROM mail_aliases WHERE next_stop >= %s AND next_stop < %s"
# A row that is routed and not active is a closed mailbox's in an alias domain, or an address kept from the catch-all:
# none answers in its place.
ANSWERS = """
SELECT alias.id, alias.alias_email, own.id IS NOT NULL OR (alias.is_routed AND NOT alias.is_active),
       COALESCE(own.may_receive, alias.is_active)
FROM mail_aliases alias LEFT JOIN mail_mailboxes own ON own.id = alias.own_mailbox_id
WHERE alias.alias_email IN %s
"""
# The links were read without locks: what was switched off since then stays off, and what has got a mailbox is no link.
# FORCE INDEX: see mailboxes.effective.
WRITE = f"""
UPDATE mail_aliases alias
STRAIGHT_JOIN mail_domains domain FORCE INDEX (PRIMARY) ON domain.id = alias.domain_id
LEFT JOIN mail_mailboxes source FORCE INDEX (mailbox_one_live)
  ON source.email = alias.alias_email AND source.is_live = 1
LEFT JOIN mail_domains target_domain FORCE INDEX (domain_one_owner)
  ON target_domain.owned_name = SUBSTRING_INDEX(alias.destination_email, '@', -1)
SET alias.is_routed = %s AND {MAY}, alias.is_active = %s AND {MAY}
WHERE alias.id IN %s AND alias.target_mailbox_id IS NULL
"""  # noqa: S608 - put together from the constant above


@dataclass(frozen=True, slots=True)
class Link:
    """A row that leads to no mailbox of ours."""

    id: int
    source: str
    target: str
    is_local: bool
    may: bool
    is_routed: bool

    @property
    def exact(self) -> str:
        return base_address(self.target)

    @property
    def catch_all(self) -> str:
        return f"@{domain_of(self.target)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a row at an address takes mail, apart from the links that are being settled."""

    id: int
    address: str
    is_mailbox: bool
    takes_mail: bool


def settle(links: Sequence[Link], answers: Iterable[Answer]) -> set[int]:
    """Return the ids of the links to route: the fewest that need no circle to hold each other up."""
    ids = {link.id for link in links}
    answers = [answer for answer in answers if answer.id not in ids]
    mailboxes = {answer.address for answer in answers if answer.is_mailbox}
    taking = {answer.address for answer in answers if answer.takes_mail}
    routed: set[int] = set()
    while True:
        more = [
            link
            for link in links
            if link.may
            and link.id not in routed
            and (
                not link.is_local or link.exact in taking or (link.exact not in mailboxes and link.catch_all in taking)
            )
        ]
        if not more:
            return routed
        routed |= {link.id for link in more}
        taking |= {link.source for link in more}


def follow_chains(addresses: Iterable[str] | None) -> set[str]:
    """Write the routing of all links, or of those at these addresses and all that depend on them.

    Returns the addresses where it changed.
    """
    links = _all() if addresses is None else _above(set(addresses))
    if not links:
        return set()
    keys = {key for link in links if link.is_local for key in (link.exact, link.catch_all)}
    answers = [Answer(*row) for row in _rows(ANSWERS, [tuple(keys)])] if keys else []
    routed = settle(links, answers)
    changed = [link for link in links if (link.id in routed) != bool(link.is_routed)]
    for is_routed in (False, True):
        wrong = tuple(link.id for link in changed if (link.id in routed) == is_routed)
        if wrong:
            with connection.cursor() as cursor:
                cursor.execute(WRITE, [is_routed, is_routed, wrong])
    return {link.source for link in changed}


def _all() -> list[Link]:
    return [Link(*row) for row in _rows(CANDIDATES.format(which=EVERY), [])]


def _above(addresses: set[str]) -> list[Link]:
    """Return the links at these addresses, those that lead to them, those that lead to these, and so on.

    Whether a catch-all answers decides about addresses that stand in no row: all that leads to its domain is above it.
    """
    found: dict[int, Link] = {}
    asked: set[str] = set()
    while addresses:
        asked |= addresses
        ranges = [bound for address in addresses if address.startswith("@") for bound in _stops_in(domain_of(address))]
        which = AT_OR_TO + TO_DOMAIN * (len(ranges) // 2)
        stops = tuple(_stop(address) for address in addresses)
        rows = [Link(*row) for row in _rows(CANDIDATES.format(which=which), [tuple(addresses), stops, *ranges])]
        found |= {link.id: link for link in rows}
        addresses = {link.source for link in rows} - asked
    return list(found.values())


def _stop(address: str) -> str:
    """Return what `Alias.next_stop` is of the rows that lead to this address, with whatever detail."""
    return f"{domain_of(address)}@{local_of(base_address(address))}"


def _stops_in(domain: str) -> tuple[str, str]:
    """Return the range of `Alias.next_stop` that is this domain's: "A" follows "@"."""
    return f"{domain}@", f"{domain}{chr(ord('@') + 1)}"


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
