"""Name servers of a domain's zone that do not answer for it while others do: noted, and told when it lasts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_noop as _

from dns.answers import Outcome, Sight
from dns.models import LameServer, RecordChange
from domains.models import Domain
from domains.names import display_name
from domains.notices import tell
from mailhost.said import Day, Said

MAX_NAME = 253
LOOKS_THAT_TELL = 3
LAME_FOR = timedelta(hours=24)
# In the history, beside the outcomes of `dns.answers`.
NAME_SERVER = "name_server"
ANSWERS, NOT_NAMED = "answers", "not_named"


@dataclass(frozen=True)
class Servers:
    """Which servers answered for the zone in one look, and of those that did not, how they failed."""

    answering: frozenset[str]
    lame: Mapping[str, Outcome]


def servers_in(sights: Iterable[Sight]) -> Servers:
    """Judge the servers by all that was asked of them: who told one thing for certain does answer for the zone.

    Where nobody told anything, nothing is known: the zone fails as a whole, or our own way to it.
    """
    answering: set[str] = set()
    failed: dict[str, Outcome] = {}
    for sight in sights:
        for server, answer in sight.by_server.items() if sight.is_authoritative else ():
            # A name of any bytes is longer as text than the column.
            name = server[:MAX_NAME]
            if answer.is_temporary:
                failed[name] = answer.outcome
            else:
                answering.add(name)
    return Servers(
        frozenset(answering), {server: how for server, how in sorted(failed.items()) if server not in answering}
    )


def lame_by_domain(domains: Iterable[Domain]) -> dict[int, set[str]]:
    """Return the servers that were lame at the last look, by their domain's id."""
    found: dict[int, set[str]] = {}
    for domain_id, server in LameServer.objects.filter(domain__in=domains).values_list("domain_id", "server"):
        found.setdefault(domain_id, set()).add(server)
    return found


@transaction.atomic
def note_servers(domain: Domain, servers: Servers, now: datetime) -> None:
    """Write down who is lame since when, and a line of history for each that began or ended. No verdict changes."""
    if not servers.answering:
        return
    rows = LameServer.objects.select_for_update().filter(domain=domain).order_by("pk")
    standing = {row.server: row for row in rows}
    new = [
        LameServer(domain=domain, server=server, outcome=how.value, since=now, last_seen_at=now, looks=1)
        for server, how in servers.lame.items()
        if server not in standing
    ]
    # Another worker may have looked at the same instant.
    LameServer.objects.bulk_create(new, ignore_conflicts=True)
    changes = [_change(row, ANSWERS, row.outcome, now) for row in new]
    for row in standing.values():
        if row.server in servers.lame:
            row.outcome, row.last_seen_at, row.looks = servers.lame[row.server].value, now, row.looks + 1
            _tell_when_it_lasts(row, now)
            row.save(update_fields=["outcome", "last_seen_at", "looks", "told_at"])
        else:
            changes.append(_change(row, row.outcome, ANSWERS if row.server in servers.answering else NOT_NAMED, now))
            _tell_that_it_ended(row)
            row.delete()
    RecordChange.objects.bulk_create(changes)


def _change(row: LameServer, before: str, after: str, now: datetime) -> RecordChange:
    return RecordChange(
        domain_id=row.domain_id,
        purpose=NAME_SERVER,
        record_type="NS",
        name=row.server,
        status_before=before,
        status=after,
        seen_at=now,
    )


def _tell_when_it_lasts(row: LameServer, now: datetime) -> None:
    if row.told_at is None and row.looks >= LOOKS_THAT_TELL and now - row.since >= LAME_FOR:
        row.told_at = now
        text = _(
            "%(server)s, a name server of %(name)s, has not answered for it since %(day)s, while the others do. Some "
            "mail may be late, and a new signing key waits until every server shows it. Whoever runs your DNS can mend "
            "it, or take the server out of the delegation."
        )
        told = {"server": row.server, "name": display_name(row.domain.domain_name), "day": Day(row.since.date())}
        tell(row.domain, "domain.server_lame", Said(text, **told))


def _tell_that_it_ended(row: LameServer) -> None:
    if row.told_at is not None:
        text = _("The trouble with %(server)s, a name server of %(name)s, is over.")
        told = {"server": row.server, "name": display_name(row.domain.domain_name)}
        tell(row.domain, "domain.server_recovered", Said(text, **told))
