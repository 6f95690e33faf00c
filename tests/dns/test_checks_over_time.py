"""When a domain is looked at again, when a record counts as gone, and who is told: what a day of checks makes of it."""

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from dns import tasks
from dns.models import CheckSchedule, DnsRecord, RecordChange
from dns.record_operations import claim_due_domains, expected_of, observe_records, until_next_check
from domains.models import DomainNotice
from mailhost.models import Job
from mailhost.scope import every_tenant
from webhooks.models import Delivery
from webhooks.operations import create_endpoint

NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def all_rows():
    with every_tenant("a test looks at its rows"):
        yield


@pytest.fixture
def domain(acme, verified, dns_server):
    """A domain whose records all stand and were found, an hour ago."""
    create_endpoint(system_actor(acme, "a test"), url="https://hooks.elsewhere.example/in")
    domain = verified(acme, "acme.example")
    tasks.refresh_records(domain.pk)
    for row in DnsRecord.objects.filter(domain=domain):
        dns_server.says(row.name, row.record_type, expected_of(row).rdata)
    look(domain, NOW - HOUR)
    return domain


def look(domain, at: datetime) -> DnsRecord:
    observe_records([domain], now=at)
    return DnsRecord.objects.get(domain=domain, purpose="mx")


def events() -> list[str]:
    return list(DomainNotice.objects.order_by("pk").values_list("event", flat=True))


def webhooks() -> list[tuple[str, str]]:
    rows = Delivery.objects.select_related("message").order_by("pk")
    return [(row.message.type, json.loads(row.message.body)["data"]["name"]) for row in rows]


def test_after_a_change_it_is_looked_at_in_1_5_15_60_minutes_and_then_daily(acme, verified, dns_server):
    domain = verified(acme, "acme.example")
    tasks.refresh_records(domain.pk)
    for row in DnsRecord.objects.filter(domain=domain):
        dns_server.says(row.name, row.record_type, expected_of(row).rdata)
    waits, at = [], timezone.now()

    for _ in range(5):
        due = CheckSchedule.objects.get(domain=domain).next_check_at
        waits.append(round((due - at) / timedelta(minutes=1)))
        at = due
        assert claim_due_domains(at - timedelta(seconds=1)) == []
        assert claim_due_domains(at) == [domain]
        # Another worker does not get it meanwhile.
        assert claim_due_domains(at) == []
        observe_records([domain], now=at)
    waits.append((CheckSchedule.objects.get(domain=domain).next_check_at - at) / HOUR)

    assert waits[:4] == [1, 5, 15, 60]
    assert all(22 * 60 <= minutes <= 26 * 60 for minutes in (waits[4], waits[5] * 60))


def test_daily_checks_of_many_domains_are_spread_over_hours():
    daily = [until_next_check(4, is_missed=False) for _ in range(200)]

    assert max(daily) - min(daily) > 3 * HOUR
    assert len({round(one / HOUR) for one in daily}) >= 4
    assert until_next_check(4, is_missed=True) == 8 * HOUR


def test_what_stood_is_gone_after_three_misses_over_a_day_and_is_told_by_mail_and_webhook(domain, dns_server):
    dns_server.says("acme.example", "MX")

    seen = [(look(domain, NOW + hours * HOUR).status, events()) for hours in (0, 8, 16, 23)]

    assert seen == [("ok", [])] * 4
    assert "looked at again: There is no such MX record" in DnsRecord.objects.get(domain=domain, purpose="mx").problem

    gone = look(domain, NOW + 24 * HOUR)
    assert (gone.status, gone.failing_since, events()) == ("missing", NOW + 24 * HOUR, ["domain.failing"])
    look(domain, NOW + 32 * HOUR)
    assert events() == ["domain.failing"]

    dns_server.says("acme.example", "MX", "10 mail.mailhost.example.")
    back = look(domain, NOW + 40 * HOUR)
    assert (back.status, back.misses, back.failing_since) == ("ok", 0, None)
    assert events() == ["domain.failing", "domain.recovered"]
    assert webhooks() == [("domain.failing", "acme.example"), ("domain.recovered", "acme.example")]
    assert Job.objects.filter(task="domains.tasks.mail_notice").count() == 2


@pytest.mark.parametrize("trouble", ["fails", "is_silent"])
def test_dns_that_fails_for_days_turns_nothing_bad(domain, dns_server, trouble):
    getattr(dns_server, trouble)("acme.example")

    rows = [look(domain, NOW + days * 24 * HOUR) for days in range(2 if trouble == "is_silent" else 5)]

    assert {(row.status, row.misses) for row in rows} == {("ok", 0)}
    assert rows[-1].problem != ""
    assert events() == []


def test_an_hours_slip_is_no_miss_that_counts_later(domain, dns_server):
    dns_server.says("acme.example", "MX", "10 mail.other.example.")
    assert look(domain, NOW).misses == 1

    dns_server.says("acme.example", "MX", "10 mail.mailhost.example.")

    assert look(domain, NOW + 8 * HOUR).misses == 0


def test_the_history_says_what_changed_and_when(domain, dns_server):
    dns_server.says("acme.example", "MX", "10 mail.mailhost.example.", "20 backup.elsewhere.example.")
    look(domain, NOW)
    dns_server.says("acme.example", "MX", "10 mail.other.example.")
    for hours in (8, 16, 24, 32, 40):
        look(domain, NOW + hours * HOUR)

    ours, both, other = (
        ["10 mail.mailhost.example"],
        ["10 mail.mailhost.example", "20 backup.elsewhere.example"],
        ["10 mail.other.example"],
    )
    lines = RecordChange.objects.filter(domain=domain, purpose="mx").order_by("pk")
    assert [(row.status_before, row.status, row.found_before, row.found, row.seen_at) for row in lines] == [
        ("ok", "ok", ours, both, NOW),
        ("ok", "ok", both, other, NOW + 8 * HOUR),
        ("ok", "mismatch", other, other, NOW + 32 * HOUR),
    ]
