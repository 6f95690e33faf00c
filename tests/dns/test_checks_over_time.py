"""When a domain is looked at again, when a record counts as gone, and who is told: what a day of checks makes of it."""

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from dns import tasks
from dns.models import CheckSchedule, DnsRecord, LameServer, RecordChange
from dns.purposes import status_word
from dns.record_operations import claim_due_domains, expected_of, observe_records, until_next_check
from domains.models import DomainNotice
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.dns.scripted_dns import ScriptedDns
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


@pytest.fixture
def second_server(dns_server):
    """Another authoritative server of acme.example, which says the same."""
    dns_server.has_servers("acme.example", ns1="127.0.0.1", ns2="127.0.0.2")
    with ScriptedDns("127.0.0.2", dns_server.port) as server:
        server.records = dns_server.records
        yield server


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


def test_deleted_domains_do_not_stand_in_the_way_of_others(acme, verified, monkeypatch):
    monkeypatch.setattr("dns.record_operations.BATCH", 2)
    gone = [verified(acme, f"gone{number}.example", deleted_at=NOW) for number in range(4)]
    living = verified(acme, "acme.example")
    for number, domain in enumerate([*gone, living]):
        CheckSchedule.objects.create(domain=domain, next_check_at=NOW + timedelta(seconds=number))
    at = NOW + timedelta(minutes=1)

    rounds = [claim_due_domains(at) for _ in range(3)]
    later = claim_due_domains(at + timedelta(minutes=6))

    assert rounds == [[], [], [living]]
    assert later == [living]


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


@pytest.mark.parametrize(
    ("trouble", "outcome"), [("is_lame", "lame"), ("fails", "server_failure"), ("refuses", "lame")]
)
def test_a_server_that_is_lame_while_others_answer_is_told_with_since_when(
    domain, dns_server, second_server, trouble, outcome
):
    for name in {row.name for row in DnsRecord.objects.filter(domain=domain)}:
        getattr(second_server, trouble)(name)

    statuses = {look(domain, NOW + hours * HOUR).status for hours in (0, 1, 23)}
    [row] = LameServer.objects.all()
    assert (row.server, row.outcome, row.since, row.looks) == ("ns2.acme.example", outcome, NOW, 3)
    assert (statuses, events()) == ({"ok"}, [])
    assert status_word(row.outcome)[0] == "waiting"

    look(domain, NOW + 24 * HOUR)
    look(domain, NOW + 48 * HOUR)
    assert {row.status for row in DnsRecord.objects.filter(domain=domain)} == {"ok"}
    assert events() == ["domain.server_lame"]
    assert "ns2.acme.example" in DomainNotice.objects.get().text

    second_server.outcomes.clear()
    look(domain, NOW + 72 * HOUR)
    assert not LameServer.objects.exists()
    assert events() == ["domain.server_lame", "domain.server_recovered"]
    assert [event for event, _ in webhooks()] == events()
    lines = RecordChange.objects.filter(domain=domain, name="ns2.acme.example").order_by("pk")
    assert [(line.purpose, line.status_before, line.status, line.seen_at) for line in lines] == [
        ("name_server", "answers", outcome, NOW),
        ("name_server", outcome, "answers", NOW + 72 * HOUR),
    ]


def test_a_server_that_is_lame_for_a_day_and_taken_out_is_told_to_nobody(domain, dns_server, second_server):
    for name in {row.name for row in DnsRecord.objects.filter(domain=domain)}:
        second_server.fails(name)
    look(domain, NOW)
    dns_server.has_servers("acme.example", ns1="127.0.0.1")

    look(domain, NOW + 24 * HOUR)

    assert (LameServer.objects.count(), events()) == (0, [])
    assert RecordChange.objects.latest("pk").status == "not_named"


def test_where_no_server_answers_none_is_called_lame(domain, dns_server, second_server):
    for server in (dns_server, second_server):
        for name in {row.name for row in DnsRecord.objects.filter(domain=domain)}:
            server.fails(name)

    look(domain, NOW)

    assert not LameServer.objects.exists()


def test_a_server_that_misses_one_question_alone_is_not_lame(domain, dns_server, second_server):
    second_server.fails("acme.example")

    look(domain, NOW)

    assert not LameServer.objects.exists()


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
