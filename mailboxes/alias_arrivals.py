"""What a new alias meets, asked in one statement: what stands at its ends, and whether anything follows it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from domains.models import Domain
from mailboxes.addresses import base_address, domain_of
from mailboxes.arrivals import details_of
from mailboxes.chains import Answer

# With what stands at the targets and at the catch-alls of their domains: `next` are the rows that mail
# passes there, and whether they take it (see ANSWERS of mailboxes.chains).
ALIAS_MEETS = """
SELECT 'present' AS kind, id, '' AS address, destination_email AS target, own_mailbox_id IS NOT NULL AS one, 0 AS two,
       0 AS three
FROM mail_aliases WHERE alias_email = %s
UNION ALL
SELECT 'next', alias.id, alias.alias_email, alias.destination_email, own.id IS NOT NULL OR alias.is_denial,
       own.id IS NOT NULL OR (alias.is_routed AND NOT alias.is_active), COALESCE(own.may_receive, alias.is_active)
FROM mail_aliases alias LEFT JOIN mail_mailboxes own ON own.id = alias.own_mailbox_id
WHERE alias.alias_email IN %s
UNION ALL
SELECT 'mailbox', id, email, '', tenant_id, may_receive, may_smtp FROM mail_mailboxes WHERE live_email IN %s
UNION ALL
(SELECT 'follows', 0, '', '', 0, 0, 0 FROM mail_aliases WHERE destination_email = %s LIMIT 1)
UNION ALL
(SELECT 'follows', 0, '', '', 0, 0, 0 FROM mail_aliases
 WHERE destination_email > %s AND destination_email < %s AND destination_email LIKE BINARY %s LIMIT 1)
UNION ALL
(SELECT 'follows', 0, '', '', 0, 0, 0 FROM mail_domains WHERE alias_of_id = %s AND is_live = 1 LIMIT 1)
"""


class Reader(NamedTuple):
    """The mailbox at a target: whose it is, and what it may do."""

    id: int
    tenant_id: int
    may_receive: bool
    may_smtp: bool


Links = dict[str, set[str]]


@dataclass(frozen=True)
class AliasMeeting:
    """`present`: where the source leads already. `readers`: the mailboxes at the targets, by address. `answers`: the
    rows at the targets and their catch-alls. `links`: where mail goes from there, and from the source.
    `stands_alone`: nothing but its own rows follows from the alias: its source is no mailbox and no catch-all, no
    alias leads to it, and no alias domain repeats it."""

    present: list[str]
    readers: dict[str, Reader]
    answers: list[Answer]
    links: Links
    stands_alone: bool

    def links_below(self, targets_of: Callable[[set[str]], Links]) -> Callable[[set[str]], Links]:
        """Return the question for the next level of the way down, which is asked for what is not known yet."""

        def asked(level: set[str]) -> Links:
            unknown = level - self.links.keys()
            return self.links | targets_of(unknown) if unknown else self.links

        return asked


def meet_alias(source: str, targets: Sequence[str], domain: Domain) -> AliasMeeting:
    """Return what a new alias meets. The domains at both ends are locked, with the main domains of alias domains:
    nobody writes a row in them meanwhile, so what is read here without a lock is what a walk after the writing
    (mailboxes.links) would meet."""
    bases = {base_address(target) for target in targets}
    catch_alls = {f"@{domain_of(base)}" for base in bases}
    values = [source, (*bases, *catch_alls), tuple(bases), source, *details_of(source), domain.pk]
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(ALIAS_MEETS, values)
        for kind, *row in cursor.fetchall():
            found[kind].append(row)
    is_mailbox = any(is_own for _, _, _, is_own, _, _ in found["present"])
    present = [target for _, _, target, is_own, _, _ in found["present"] if not is_own]
    links = _links(found["next"], bases, catch_alls)
    links[source] = {base_address(target) for target in (*present, *targets)}
    return AliasMeeting(
        present=present,
        readers={email: Reader(pk, *rights) for pk, email, _, *rights in found["mailbox"]},
        answers=[Answer(pk, email, *flags) for pk, email, _, _, *flags in found["next"]],
        links=links,
        stands_alone=not (is_mailbox or found["follows"] or source.startswith("@")),
    )


def _links(rows: Iterable[Sequence[Any]], bases: set[str], catch_alls: set[str]) -> Links:
    """Return where each address leads: to the targets of its rows, or to the catch-all when it is in no row."""
    links: Links = {}
    for _, address, target, is_end, _, _ in rows:
        # A mailbox's own row ends there, as does a denial; they are named so that no catch-all is asked.
        links.setdefault(address, set()).update(set() if is_end else {target})
    for base in bases:
        catch_all = f"@{domain_of(base)}"
        links.setdefault(base, {catch_all} if catch_all in links else set())
    return {address: set() for address in catch_alls} | links
