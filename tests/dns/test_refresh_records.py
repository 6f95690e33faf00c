"""`mail_dns_records` says what the domain should publish now."""

from functools import partial

import pytest
from django.utils import timezone

from dns import tasks
from dns.models import DkimKey, DnsRecord, KeyState
from mailhost import operation
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.together import at_once
from tests.world import make_world, verified_domain


def rows_of(domain) -> list[DnsRecord]:
    with every_tenant("a test looks"):
        return list(DnsRecord.objects.filter(domain=domain).order_by("pk"))


@pytest.fixture
def domain(acme, verified):
    return verified(acme, "acme.example")


def test_a_new_domain_has_its_records_before_its_key(domain, settings):
    tasks.refresh_records(domain.pk)

    rows = rows_of(domain)
    assert [(row.purpose, row.status) for row in rows] == [
        ("ownership", "not_checked"),
        ("mx", "not_checked"),
        ("spf", "not_checked"),
        ("dmarc", "not_checked"),
        *[("srv", "not_checked")] * 4,
    ]
    assert rows[0].value == f"mailhost-verification={domain.challenge}"
    assert (rows[1].value, rows[1].priority) == (settings.MAILHOST_HOSTNAME, 10)


def test_a_second_time_changes_nothing(domain):
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    before = [row.__dict__ | {"_state": None} for row in rows_of(domain)]

    tasks.refresh_records(domain.pk)

    assert [row.__dict__ | {"_state": None} for row in rows_of(domain)] == before


def test_a_record_that_changed_is_unchecked_again_and_the_others_stay(domain, settings):
    tasks.refresh_records(domain.pk)
    with every_tenant("a test lays its ground"):
        DnsRecord.objects.update(status="ok", found=["x"], last_checked_at=timezone.now())
    settings.MAILHOST_HOSTNAME = "mx.rita.example"

    tasks.refresh_records(domain.pk)

    status = {row.purpose: (row.status, row.found) for row in rows_of(domain)}
    assert status == {
        "ownership": ("ok", ["x"]),
        "mx": ("not_checked", []),
        "spf": ("ok", ["x"]),
        "dmarc": ("ok", ["x"]),
        # They name the host too.
        "srv": ("not_checked", []),
    }
    assert next(row.value for row in rows_of(domain) if row.purpose == "mx") == "mx.rita.example"


def test_each_live_key_has_its_record_and_a_retired_one_none(domain):
    tasks.make_key(domain.pk)
    with every_tenant("a test lays its ground"):
        DkimKey.objects.create(domain=domain, selector="retiring1", public_key="x", state=KeyState.RETIRING)
        retired = DkimKey.objects.create(domain=domain, selector="retired1", public_key="x", state=KeyState.RETIRING)
        active = DkimKey.objects.next_in_line().get(domain=domain)
    tasks.refresh_records(domain.pk)
    with every_tenant("a test lays its ground"):
        DkimKey.objects.filter(pk=retired.pk).update(state=KeyState.RETIRED)

    tasks.refresh_records(domain.pk)

    shown = {row.name: row.value for row in rows_of(domain) if row.purpose == "dkim"}
    assert shown == {
        f"{active.selector}._domainkey.acme.example": f"v=DKIM1; k=rsa; p={active.public_key}",
        "retiring1._domainkey.acme.example": "v=DKIM1; k=rsa; p=x",
    }


def test_a_domain_that_is_gone_is_passed_by(domain):
    with every_tenant("a test lays its ground"):
        type(domain).objects.filter(pk=domain.pk).update(deleted_at=timezone.now())

    tasks.refresh_records(domain.pk)

    assert rows_of(domain) == []


def test_all_records_take_as_few_statements_as_one(domain, django_assert_max_num_queries):
    with every_tenant("a test lays its ground"):
        for number in range(20):
            DkimKey.objects.create(domain=domain, selector=f"key{number}", public_key="x", state=KeyState.RETIRING)

    # Two of them begin the tenant's audit record.
    with django_assert_max_num_queries(16):
        tasks.refresh_records(domain.pk)

    assert len(rows_of(domain)) == 28
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_domains_of_one_tenant_are_refreshed_at_the_same_instant_without_a_deadlock(monkeypatch):
    monkeypatch.setattr(operation, "ATTEMPTS", 1)
    world = make_world()
    domains = [verified_domain(world.as_acme, f"acme{number}.example") for number in range(8)]

    outcomes = at_once(*[partial(tasks.refresh_records, domain.pk) for domain in domains])

    assert outcomes == ["done"] * 8
