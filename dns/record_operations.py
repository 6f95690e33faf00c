"""Records to publish, and what was found of them: every change."""

import random
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.actors import system_actor
from dns import bimi
from dns.chosen import chosen_dmarc, chosen_logo, chosen_mta_sts
from dns.dkim import public_record
from dns.key_operations import ACTIVATE_KEY, note_published, withdraw_key
from dns.models import (
    CheckSchedule,
    DkimKey,
    DnsRecord,
    ExpectedRow,
    KeyState,
    Purpose,
    RecordChange,
    Status,
    ZoneAccess,
)
from dns.observation import Finding, Subject, observe, shows_key
from dns.operations import PUBLISH_KEYS
from dns.proof import judge_proof
from dns.reading import tags
from dns.records import ExpectedRecord, Installation, SigningKey, dkim_name, expected_records
from dns.server_operations import lame_by_domain, note_servers, servers_in
from domains.locks import lock_domain
from domains.models import Domain
from domains.notices import tell
from domains.proof_operations import note_proof
from longwork.models import LongWork
from longwork.works import begin
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.inserts import put
from mailhost.operation import operation, retried
from mailhost.said import NOTHING, Said, from_kept

log = structlog.get_logger(__name__)

LOOK_UP = "dns.works.check"
CHECK_RECORDS = "dns.tasks.check_records"
REFRESH_RECORDS = "dns.tasks.refresh_records"
PUBLISH_RECORDS = "dns.tasks.publish_records"
LABEL = "DNS checks"

# After a change; then once a day, spread, so that a thousand domains added together are not looked up together.
STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
DAILY_HOURS = (22.0, 26.0)
# While something that stood is missed: often enough that three misses fit into a day.
MISSED_HOURS = 8
MISSES_THAT_FAIL = 3
MISSED_FOR = timedelta(hours=24)
# How long a domain is kept from others that look for due ones while it is being checked.
LEASE = timedelta(minutes=5)
# Deleted domains, which may be restored, are passed over for so long: thousands of them must not fill every batch.
DELETED_REST = timedelta(hours=1)
BATCH = 200
LONGEST_PROBLEM = 500


@operation("records.refresh")
def refresh_records(actor: Actor, *, domain: Domain) -> Domain:
    """Make `mail_dns_records` say what the domain should publish now. A changed record is unchecked again."""
    domain = lock_domain(actor, domain)
    keys = DkimKey.objects.shown_in_dns().filter(domain=domain).values_list("selector", "public_key", "by_alias")
    rows = list(
        DnsRecord.objects.of_domain(domain).select_related("domain__mta_sts", "domain__dmarc_policy", "domain__logo")
    )
    # Without a record yet, nothing can have been chosen.
    chosen = rows[0].domain if rows else None
    expected = {
        (record.purpose, record.record_type, record.name): record
        for record in expected_records(
            domain.domain_name,
            challenge=domain.challenge,
            installation=Installation.from_settings(),
            keys=[SigningKey(*key) for key in keys],
            mta_sts_mode=chosen_mta_sts(chosen),
            dmarc_policy=chosen_dmarc(chosen),
            logo=chosen_logo(chosen) if enforces_dmarc(chosen, rows) else ("", ""),
            uid=domain.uid,
        )
    }
    standing = {(row.purpose, row.record_type, row.name): row for row in rows}
    gone = [row.pk for place, row in standing.items() if place not in expected]
    new = [DnsRecord(domain=domain, **columns(record)) for place, record in expected.items() if place not in standing]
    changed = [row for place, row in standing.items() if place in expected and is_different(row, expected[place])]
    for row in changed:
        for name, value in columns(expected[row.purpose, row.record_type, row.name]).items():
            setattr(row, name, value)
        row.status, row.found, row.updated_at = Status.NOT_CHECKED, [], timezone.now()
        write_problem(row, NOTHING)
        row.misses, row.missed_since, row.failing_since = 0, None, None
    if gone:
        DnsRecord.objects.filter(pk__in=gone).delete()
    DnsRecord.objects.bulk_create(new)
    DnsRecord.objects.bulk_update(changed, [*COLUMNS, *FOUND, "updated_at"])
    if new or changed:
        schedule_checks(domain, timezone.now())
    if new or changed or gone:
        publish_where_automatic(domain)
    return domain


@operation("records.check")
def check_records(actor: Actor, *, domain: Domain) -> tuple[Domain, LongWork]:
    """Have the domain's records looked up in DNS soon, in the background; return the work that does it, too."""
    return domain, begin(actor, LOOK_UP, kind="records.check", domain_id=domain.pk)


def refresh_later(domain: Domain) -> None:
    """Have it written down anew what the domain should publish, after this transaction."""
    later(REFRESH_RECORDS, domain_id=domain.pk)


def enforces_dmarc(domain: Domain | None, rows: Iterable[DnsRecord]) -> bool:
    """Say whether the domain's DMARC policy holds forged mail back: the one it has chosen, or one that it shows."""
    shown = [text for row in rows if row.purpose == Purpose.DMARC and row.status == Status.OK for text in row.found]
    return bool({chosen_dmarc(domain), *(tags(text).get("p", "").lower() for text in shown)} & bimi.ENFORCING)


def schedule_checks(domain: Domain, now: datetime) -> None:
    """Begin the checks after a change: in 1, 5, 15 and 60 minutes, then daily."""
    put(CheckSchedule(domain=domain, step=0, next_check_at=now + STEPS[0]), "step", "next_check_at")


def publish_where_automatic(domain: Domain) -> None:
    """Have the records put into the domain's zone soon, if its owner lets us."""
    if ZoneAccess.objects.filter(domain=domain, automatic=True).exists():
        later(PUBLISH_RECORDS, domain_id=domain.pk)


def claim_due_domains(now: datetime) -> list[Domain]:
    """Return domains whose records are due to be looked up; no other worker gets them for the time of a lease."""
    with transaction.atomic():
        due = CheckSchedule.objects.select_for_update(skip_locked=True).filter(next_check_at__lte=now)
        pks = [row.domain_id for row in due.order_by("next_check_at", "pk")[:BATCH]]
        domains = list(Domain.objects.tended().filter(pk__in=pks))
        CheckSchedule.objects.filter(domain__in=pks).update(next_check_at=now + DELETED_REST)
        CheckSchedule.objects.filter(domain__in=domains).update(next_check_at=now + LEASE)
    return domains


def observe_records(
    domains: Sequence[Domain], *, now: datetime, told: Callable[[DnsRecord], None] | None = None
) -> None:
    """Look up the records of these domains and note what was found. Keys and proof follow. `told` is shown each record
    as its answers come, as it will be once all of them are noted.

    An observation leaves no audit record; what follows from it does. A failure of DNS never turns a good verdict
    bad: the former one stays, with the reason beside it. A server that fails while others answer is noted apart.
    """
    rows = {domain.pk: [] for domain in domains}
    for row in DnsRecord.objects.filter(domain__in=domains).order_by("pk"):
        rows[row.domain_id].append(row)
    keys = {domain.pk: [] for domain in domains}
    for key in DkimKey.objects.filter(domain__in=domains).select_related("domain__tenant").order_by("pk"):
        keys[key.domain_id].append(key)
    subjects = [
        Subject(
            domain.domain_name,
            [with_key(expected_of(row), keys[domain.pk]) for row in rows[domain.pk]],
            {key.selector: key.public_key for key in keys[domain.pk]},
        )
        for domain in domains
    ]
    were_lame = lame_by_domain(domains)
    named = {domain.domain_name: rows[domain.pk] for domain in domains}

    def tell_early(domain_name: str, place: int, finding: Finding) -> None:
        row = copy(named[domain_name][place])
        settle(row, finding, now)
        told(row)

    for domain, found in zip(domains, observe(subjects, tell_early if told else None), strict=True):
        seen = dict(zip([row.pk for row in rows[domain.pk]], found, strict=True))
        # Each is a transaction of its own, and may meet a customer's change of the same domain.
        try:
            retried(partial(_note, domain, rows[domain.pk], seen, now))
            retried(partial(_follow_keys, domain, rows[domain.pk], seen, keys[domain.pk], now))
            retried(partial(_follow_proof, domain, rows[domain.pk], seen, now))
            servers = servers_in(finding.sight for finding in found)
            if servers.lame or domain.pk in were_lame:
                retried(partial(note_servers, domain, servers, now))
        except Refused as refused:
            # Deleted while DNS was asked; the others of the batch go on.
            log.info("sight_not_followed", domain=domain.pk, code=refused.code)


@transaction.atomic
def _note(domain: Domain, rows: list[DnsRecord], seen: dict[int, Finding], now: datetime) -> None:
    standing = {row.pk: row for row in DnsRecord.objects.select_for_update().filter(domain=domain).order_by("pk")}
    # What was asked about is judged; a row that was changed meanwhile waits for its own check.
    rows = [standing[row.pk] for row in rows if row.pk in standing and standing[row.pk].value == row.value]
    changes = [change for row in rows if (change := settle(row, seen[row.pk], now))]
    DnsRecord.objects.bulk_update(rows, FOUND)
    RecordChange.objects.bulk_create(changes)
    for row in rows:
        if row.failing_since == now:
            missed = _("%(type)s record %(name)s: %(problem)s")
            problem = from_kept(row.problem_said) or row.problem
            tell(domain, "domain.failing", Said(missed, type=row.record_type, name=row.name, problem=problem))
    if any(change.status_before in BAD and change.status == Status.OK for change in changes) and not any(
        row.failing_since for row in rows
    ):
        tell(domain, "domain.recovered", Said(_("All records that were missed are found again.")))
    if any(row.status in BAD for row in rows):
        publish_where_automatic(domain)
    step = CheckSchedule.objects.filter(domain=domain).values_list("step", flat=True).first() or 0
    next_check_at = now + until_next_check(step, is_missed=any(row.misses for row in rows))
    row = CheckSchedule(domain=domain, step=min(step + 1, len(STEPS)), next_check_at=next_check_at, last_check_at=now)
    put(row, "step", "next_check_at", "last_check_at")


def until_next_check(step: int, *, is_missed: bool) -> timedelta:
    """Return how long after this check, the `step`-th since the last change, the next one follows."""
    if step + 1 < len(STEPS):
        return STEPS[step + 1]
    if is_missed:
        return timedelta(hours=MISSED_HOURS)
    return timedelta(hours=random.uniform(*DAILY_HOURS))  # noqa: S311 - spreads load, keeps no secret


def settle(row: DnsRecord, finding: Finding, now: datetime) -> RecordChange | None:
    """Write a finding into its row; return the line of history when something changed.

    What stood before counts as gone only after three misses over a day: until then the row stays good and says so.
    """
    verdict, found = finding.verdict, list(finding.sight.best.values)
    if verdict.status == Status.TEMPORARY_FAILURE:
        write_problem(row, verdict.problem)
        if row.status in UNKNOWN:
            row.status, row.found, row.last_checked_at = verdict.status, [], now
        return None
    before = (row.status, row.found)
    row.found, row.last_checked_at = found, now
    write_problem(row, verdict.problem)
    if verdict.status == Status.OK or row.status in UNKNOWN or row.status in BAD:
        row.status = verdict.status
        if verdict.status == Status.OK:
            row.misses, row.missed_since, row.failing_since = 0, None, None
    else:
        row.misses, row.missed_since = row.misses + 1, row.missed_since or now
        if row.misses >= MISSES_THAT_FAIL and now - row.missed_since >= MISSED_FOR:
            row.status, row.failing_since = verdict.status, now
        else:
            text = _("At the last look it was not right, so it is looked at again: %(problem)s")
            write_problem(row, Said(text, problem=verdict.problem))
    if (row.status, row.found) == before or before[0] == Status.NOT_CHECKED:
        return None
    return RecordChange(
        domain_id=row.domain_id,
        purpose=row.purpose,
        record_type=row.record_type,
        name=row.name,
        status_before=before[0],
        status=row.status,
        found_before=before[1],
        found=row.found,
        seen_at=now,
    )


def write_problem(row: ExpectedRow, problem: Said) -> None:
    """Note what is wrong with a record, for programs as text and for pages in every language."""
    row.problem, row.problem_said = str(problem)[:LONGEST_PROBLEM], problem.kept


def _follow_keys(
    domain: Domain, rows: list[DnsRecord], seen: dict[int, Finding], keys: list[DkimKey], now: datetime
) -> None:
    """Have a key that all servers show sign soon, and one that DNS has lost sign no more."""
    by_name = {row.name: row for row in rows if row.purpose == Purpose.DKIM}
    actor = system_actor(domain.tenant, LABEL)
    for key in keys:
        row = by_name.get(dkim_name(key.selector, domain.domain_name))
        record = with_key(expected_of(row), [key]) if row else None
        if record is None or public_record(key.public_key) not in {record.value, record.behind}:
            continue
        is_shown = shows_key(record, seen[row.pk])
        if key.by_alias and not is_shown:
            later(PUBLISH_KEYS, domain_id=domain.pk)
        if key.state == KeyState.PENDING and domain.has_proof and is_shown:
            note_published(actor, key=key, now=now)
        elif key.state == KeyState.PUBLISHED and is_shown:
            # What was to let it sign came too late, when this sight of it was too old.
            later(ACTIVATE_KEY, domain_id=domain.pk)
        elif key.state == KeyState.ACTIVE and DnsRecord.objects.filter(pk=row.pk, failing_since=now).exists():
            withdraw_key(actor, key=key, now=now)


def _follow_proof(domain: Domain, rows: list[DnsRecord], seen: dict[int, Finding], now: datetime) -> None:
    for row in rows:
        if row.purpose == Purpose.OWNERSHIP:
            proof = judge_proof(seen[row.pk].sight, domain.domain_name, domain.challenge)
            note_proof(domain, proof.proof, now=now)


UNKNOWN = frozenset({Status.NOT_CHECKED, Status.TEMPORARY_FAILURE})
BAD = frozenset({Status.MISSING, Status.MISMATCH})
COLUMNS = ("purpose", "record_type", "name", "value", "priority", "ttl", "necessity")
FOUND = ("status", "found", "problem", "problem_said", "last_checked_at", "misses", "missed_since", "failing_since")


def columns(record: ExpectedRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in COLUMNS}


def is_different(row: DnsRecord, record: ExpectedRecord) -> bool:
    return any(getattr(row, name) != value for name, value in columns(record).items())


def with_key(record: ExpectedRecord, keys: Sequence[DkimKey]) -> ExpectedRecord:
    """Return the record with the key that its alias should lead to, if it is such an alias and there is one."""
    if (record.purpose, record.record_type) != (Purpose.DKIM, "CNAME"):
        return record
    selector = record.name.partition(".")[0]
    live = [key for key in keys if key.by_alias and key.selector == selector and key.is_shown_in_dns]
    return replace(record, behind=public_record(live[-1].public_key)) if live else record


def expected_of(row: ExpectedRow) -> ExpectedRecord:
    """Return the record that the row asks for, as the rules take it."""
    return ExpectedRecord(row.purpose, row.record_type, row.name, row.value, row.necessity, row.priority, row.ttl)
