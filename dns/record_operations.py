"""Records to publish, and what was found of them: every change."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from dns import lookup
from dns.models import DkimKey, DnsRecord, Status
from dns.records import ExpectedRecord, SigningKey, expected_records
from dns.verdict import judge
from domains.locks import lock_domain
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.operation import operation

CHECK_RECORDS = "dns.tasks.check_records"


@operation("records.refresh")
def refresh_records(actor: Actor, *, domain: Domain) -> Domain:
    """Make `mail_dns_records` say what the domain should publish now. A changed record is unchecked again."""
    lock_domain(actor, domain)
    keys = DkimKey.objects.shown_in_dns().filter(domain=domain).values_list("selector", "public_key")
    expected = {
        (record.purpose, record.record_type, record.name): record
        for record in expected_records(
            domain.domain_name,
            challenge=domain.challenge,
            mail_host=settings.MAILHOST_HOSTNAME,
            keys=[SigningKey(*key) for key in keys],
        )
    }
    standing = {(row.purpose, row.record_type, row.name): row for row in DnsRecord.objects.of_domain(domain)}
    DnsRecord.objects.filter(pk__in=[row.pk for place, row in standing.items() if place not in expected]).delete()
    DnsRecord.objects.bulk_create(
        DnsRecord(domain=domain, **columns(record)) for place, record in expected.items() if place not in standing
    )
    changed = [row for place, row in standing.items() if place in expected and is_different(row, expected[place])]
    for row in changed:
        record = expected[(row.purpose, row.record_type, row.name)]
        row.value, row.priority, row.ttl, row.necessity = record.value, record.priority, record.ttl, record.necessity
        row.status, row.found, row.problem, row.updated_at = Status.NOT_CHECKED, [], "", timezone.now()
    DnsRecord.objects.bulk_update(
        changed, ["value", "priority", "ttl", "necessity", "status", "found", "problem", "updated_at"]
    )
    return domain


@operation("records.check")
def check_records(actor: Actor, *, domain: Domain) -> Domain:
    """Have the domain's records looked up in DNS soon, in the background."""
    later(CHECK_RECORDS, domain_id=domain.pk)
    return domain


def observe_records(domain: Domain, *, now: datetime) -> None:
    """Look up the domain's records and note what was found: an observation, so it leaves no audit record.

    A failure of DNS never turns a good verdict bad: the former one stays, with the reason beside it.
    """
    rows = list(DnsRecord.objects.of_domain(domain))
    answers = lookup.look_up_all((row.name, row.record_type) for row in rows)
    for row in rows:
        answer = answers[row.name, row.record_type]
        verdict = judge(expected_of(row), answer)
        row.problem = verdict.problem[:500]
        if answer.is_temporary and row.status not in {Status.NOT_CHECKED, Status.TEMPORARY_FAILURE}:
            continue
        row.status, row.found, row.last_checked_at = verdict.status, list(answer.values), now
    DnsRecord.objects.bulk_update(rows, ["status", "found", "problem", "last_checked_at"])


def columns(record: ExpectedRecord) -> dict[str, object]:
    return {
        "purpose": record.purpose,
        "record_type": record.record_type,
        "name": record.name,
        "value": record.value,
        "priority": record.priority,
        "ttl": record.ttl,
        "necessity": record.necessity,
    }


def is_different(row: DnsRecord, record: ExpectedRecord) -> bool:
    return (row.value, row.priority, row.ttl, row.necessity) != (
        record.value,
        record.priority,
        record.ttl,
        record.necessity,
    )


def expected_of(row: DnsRecord) -> ExpectedRecord:
    """Return the record that the row asks for, as the rules take it."""
    return ExpectedRecord(row.purpose, row.record_type, row.name, row.value, row.necessity, row.priority, row.ttl)
