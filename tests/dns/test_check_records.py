"""Looking up what a domain does publish."""

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from dns import record_operations, tasks
from dns.early_answers import EarlyAnswers, early_answers
from dns.models import DnsRecord
from dns.record_operations import expected_of
from mailhost.actor import Actor
from mailhost.errors import NotPermitted
from mailhost.models import Job
from mailhost.scope import every_tenant

PURPOSES = ["ownership", "mx", "spf", "dkim", "dmarc", "srv"]


@pytest.fixture
def domain(acme, verified):
    domain = verified(acme, "acme.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    return domain


def rows_of(domain) -> dict[str, DnsRecord]:
    with every_tenant("a test looks"):
        return {row.purpose: row for row in DnsRecord.objects.filter(domain=domain)}


def publish(dns_server, domain) -> None:
    with every_tenant("a test looks"):
        for row in DnsRecord.objects.filter(domain=domain):
            dns_server.says(row.name, row.record_type, expected_of(row).rdata)


def statuses(domain) -> dict[str, str]:
    return {purpose: row.status for purpose, row in rows_of(domain).items()}


def test_what_is_published_as_told_is_right(domain, dns_server):
    publish(dns_server, domain)

    tasks.check_records(domain.pk)

    assert statuses(domain) == dict.fromkeys(PURPOSES, "ok")
    assert rows_of(domain)["mx"].found == ["10 mail.mailhost.example"]
    assert rows_of(domain)["mx"].last_checked_at is not None


def test_each_answer_is_told_as_it_comes_and_as_it_is_noted_in_the_end(domain, dns_server):
    publish(dns_server, domain)
    told: list[DnsRecord] = []

    with every_tenant("a worker checks"):
        record_operations.observe_records([domain], now=timezone.now(), told=told.append)
        noted = {row.pk: (row.status, row.found) for row in DnsRecord.objects.filter(domain=domain)}
    assert len(told) == len(noted)
    assert {row.pk: (row.status, row.found) for row in told} == noted
    assert {status for status, _ in noted.values()} == {"ok"}


def test_what_a_page_is_told_early_is_that_of_the_check_it_follows(domain):
    row, started = rows_of(domain)["mx"], timezone.now()
    row.status, row.found = "mismatch", ["10 mail.elsewhere.example"]

    EarlyAnswers(domain, started).tell(row)

    (answer,) = early_answers(domain, since=int(started.timestamp()))
    assert (answer["uid"], answer["status"], answer["found"]) == (row.uid, "mismatch", ["10 mail.elsewhere.example"])
    assert early_answers(domain, since=started.timestamp() + 1) == []


def test_before_anything_is_published_all_is_missing(domain, dns_server):
    tasks.check_records(domain.pk)

    assert statuses(domain) == dict.fromkeys(PURPOSES, "missing")
    assert "acme.example yet." in rows_of(domain)["mx"].problem


NINE = " ".join(f"include:n{number}.example" for number in range(9))
OURS = "include:_spf.mailhost.example"


@pytest.mark.parametrize(
    ("record", "status", "said"),
    [
        (f"v=spf1 {OURS} ~all", "ok", ""),
        (f"v=spf1 include:n1.example {OURS} -all", "ok", ""),
        (f"v=spf1 {OURS} ip4:192.0.2.300 -all", "mismatch", "192.0.2.300"),
        (f"v=spf1 {OURS} a:x1.example a:x2.example a:x3.example -all", "mismatch", "find nothing"),
        (f"v=spf1 {OURS} include:nothing.example -all", "mismatch", "has no SPF record"),
        (f"v=spf1 {OURS} include:fails.example -all", "ok", ""),
        (f"v=spf1 {NINE} {OURS} -all", "mismatch", "needs 11 lookups"),
        (f"v=spf1 -all {OURS}", "mismatch", "does not allow this server"),
        ("v=spf1 redirect=_spf.acme.example", "ok", ""),
        ("v=spf1 redirect=n1.example", "mismatch", "does not allow this server"),
        (f"v=spf1 exists:%{{i}}.x1.example exists:%{{i}}.x2.example exists:%{{l}}.x3.example {OURS} -all", "ok", ""),
    ],
)
def test_an_spf_record_is_evaluated_as_receivers_do(domain, dns_server, record, status, said):
    for number in range(9):
        dns_server.says_text(f"n{number}.example", "v=spf1 ip4:192.0.2.1 -all")
    dns_server.says_text("_spf.mailhost.example", "v=spf1 a:mail.mailhost.example -all")
    dns_server.says("mail.mailhost.example", "A", "203.0.113.25")
    dns_server.says_text("_spf.acme.example", f"v=spf1 {OURS} -all")
    dns_server.fails("fails.example")
    dns_server.says_text("acme.example", record)

    tasks.check_records(domain.pk)

    with every_tenant("a test looks"):
        row = DnsRecord.objects.get(domain=domain, purpose="spf")
    assert (row.status, row.found) == (status, [record])
    assert said in row.problem if said else row.problem == ""


def test_a_failure_of_dns_turns_no_good_verdict_bad(domain, dns_server):
    publish(dns_server, domain)
    tasks.check_records(domain.pk)
    checked_at = rows_of(domain)["mx"].last_checked_at
    dns_server.fails("acme.example")

    tasks.check_records(domain.pk)

    mx = rows_of(domain)["mx"]
    assert (mx.status, mx.found, mx.last_checked_at) == ("ok", ["10 mail.mailhost.example"], checked_at)
    assert "SERVFAIL" in mx.problem


def test_a_first_check_that_fails_says_so_and_the_next_one_judges(domain, dns_server):
    publish(dns_server, domain)
    dns_server.fails("acme.example")
    tasks.check_records(domain.pk)
    first = statuses(domain)["mx"]
    dns_server.recovers("acme.example")

    tasks.check_records(domain.pk)

    assert first == "temporary_failure"
    assert (statuses(domain)["mx"], rows_of(domain)["mx"].problem) == ("ok", "")


def test_a_person_asks_and_a_worker_looks(domain, acme):
    Job.objects.all().delete()

    _, work = record_operations.check_records(system_actor(acme, "a test"), domain=domain)

    assert list(Job.objects.values_list("task", "arguments")) == [("longwork.tasks.run", {"work_id": work.pk})]
    assert work.kind == "records.check"


def test_who_may_only_see_cannot_start_a_check(domain, acme):
    actor = Actor(tenant_id=acme.pk, tenant_path=acme.path, permissions=frozenset({"records.list"}))

    with pytest.raises(NotPermitted):
        record_operations.check_records(actor, domain=domain)
