"""One record for each day, tenant and metric: never double, never missing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.closing import METRICS, close_days
from billing.models import BillingEvent
from mailhost.scope import every_tenant
from tenants.deletion_operations import delete_tenant, restore_tenant
from tenants.models import Allowance, SentMessages, Tenant
from tests.apiside import Caller, make_key
from tests.world import a_mailbox, verified_domain

TODAY = datetime(2026, 5, 20, 0, 5, tzinfo=UTC)


@pytest.fixture
def long_ago(world):
    with every_tenant("the tests' cast"):
        Tenant.objects.update(created_at=TODAY - timedelta(days=300))
    return world


def close(now: datetime) -> int:
    with every_tenant("what the clock does"):
        return close_days(now)


def billed(tenant: Tenant, day: date) -> dict[str, int]:
    with every_tenant("a test reads the records"):
        return dict(BillingEvent.objects.filter(tenant=tenant, day=day).values_list("metric", "value"))


def test_yesterday_is_closed_with_what_each_tenant_itself_uses(long_ago):
    verified_domain(long_ago.as_acme, "acme.example")
    a_mailbox(long_ago.as_acme, "anna@acme.example", storage_quota_mb=300)
    with every_tenant("what Dovecot counted"):
        Allowance.objects.filter(tenant=long_ago.acme).update(stored_bytes=5 * 1024 * 1024 + 1, stored_messages=7)

    assert close(TODAY) == 1

    acme = billed(long_ago.acme, date(2026, 5, 19))
    assert set(acme) == set(METRICS)
    assert (acme["domains"], acme["mailboxes"], acme["storage_mb"]) == (1, 1, 300)
    assert (acme["stored_mb"], acme["stored_messages"]) == (6, 7)
    assert billed(long_ago.rita, date(2026, 5, 19))["mailboxes"] == 0


def test_a_day_is_closed_once(long_ago):
    first, second = close(TODAY), close(TODAY + timedelta(hours=23))

    assert (first, second) == (1, 0)
    with every_tenant("a test counts"):
        assert BillingEvent.objects.count() == len(METRICS) * Tenant.objects.count()


def test_days_that_nobody_closed_in_time_are_not_missing(long_ago):
    close(TODAY)

    assert close(TODAY + timedelta(days=4)) == 4

    for number in range(5):
        assert set(billed(long_ago.acme, date(2026, 5, 19) + timedelta(days=number))) == set(METRICS)


def test_a_tenant_is_billed_from_its_first_day_on(long_ago):
    with every_tenant("the tests' cast"):
        Tenant.objects.filter(pk=long_ago.bolt.pk).update(created_at=datetime(2026, 5, 20, 0, 1, tzinfo=UTC))

    close(TODAY)
    close(TODAY + timedelta(days=1))

    assert billed(long_ago.bolt, date(2026, 5, 19)) == {}
    assert set(billed(long_ago.bolt, date(2026, 5, 20))) == set(METRICS)


def test_a_day_that_could_not_be_closed_whole_is_not_closed(long_ago, monkeypatch):
    from billing import closing

    def fail(page):
        raise ZeroDivisionError

    monkeypatch.setattr(closing, "metrics", fail)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        close(TODAY)
    monkeypatch.undo()

    assert billed(long_ago.acme, date(2026, 5, 19)) == {}
    assert close(TODAY) == 1


def test_the_database_itself_takes_no_second_record(long_ago):
    close(TODAY)

    with every_tenant("a test writes by hand"), pytest.raises(IntegrityError), transaction.atomic():
        BillingEvent.objects.create(
            tenant=long_ago.acme, day=date(2026, 5, 19), metric="mailboxes", value=1, created_at=TODAY
        )


def test_a_reader_that_goes_on_after_the_last_number_reads_each_record_once(long_ago):
    caller = Caller(make_key(long_ago.rita))
    close(TODAY)
    read = [0]
    for now in (TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2)):
        close(now)
        while page := caller.read(f"/billing-events?limit=7&after_number={read[-1]}")["data"]:
            read += [row["number"] for row in page]

    with every_tenant("a test counts"):
        below = BillingEvent.objects.filter(tenant__path__startswith=long_ago.rita.path)
        assert read[1:] == list(below.order_by("pk").values_list("pk", flat=True))


def test_nobody_reads_of_strangers(long_ago):
    close(TODAY)
    acme, bolt = (Caller(make_key(tenant)) for tenant in (long_ago.acme, long_ago.bolt))

    rows = acme.read(f"/billing-events?metric=mailboxes&day=2026-05-19&tenant=ten_{long_ago.acme.uid}")["data"]

    assert [(row["tenant_id"], row["value"]) for row in rows] == [(f"ten_{long_ago.acme.uid}", 0)]
    assert bolt.read(f"/billing-events?tenant=ten_{long_ago.acme.uid}")["data"] == []


def test_a_tenant_that_is_deleted_is_billed_for_its_last_day(long_ago):
    deleted_at = TODAY - timedelta(minutes=10)
    sent_on = deleted_at.date()
    with every_tenant("what the guard counted"):
        SentMessages.objects.create(tenant=long_ago.acme, path=long_ago.acme.path, day=sent_on, run="r", messages=12)
    delete_tenant(long_ago.as_rita, tenant=long_ago.acme)
    with every_tenant("the tests' cast"):
        Tenant.objects.filter(pk=long_ago.acme.pk).update(deleted_at=deleted_at)

    # Closed late: by then it had been gone for two days.
    close(TODAY - timedelta(days=1))
    close(TODAY + timedelta(days=2))

    last = billed(long_ago.acme, sent_on)
    assert (set(last), last["messages"]) == (set(METRICS), 12)
    assert billed(long_ago.acme, sent_on + timedelta(days=1)) == {}


def test_a_tenant_that_was_deleted_overnight_and_restored_is_billed_without_a_gap(long_ago):
    close(TODAY)
    delete_tenant(long_ago.as_rita, tenant=long_ago.acme)
    with every_tenant("the tests' cast"):
        Tenant.objects.filter(pk=long_ago.acme.pk).update(deleted_at=TODAY + timedelta(hours=23))
    close(TODAY + timedelta(days=1))
    with every_tenant("the tests' cast"):
        tenant = Tenant.objects.get(pk=long_ago.acme.pk)
    restore_tenant(long_ago.as_rita, tenant=tenant)
    close(TODAY + timedelta(days=2))

    for number in range(3):
        assert set(billed(long_ago.acme, date(2026, 5, 19) + timedelta(days=number))) == set(METRICS)


def test_more_tenants_than_are_read_at_a_time_are_all_billed(long_ago, monkeypatch):
    from billing import closing

    monkeypatch.setattr(closing, "BATCH", 2)
    close(TODAY)

    with every_tenant("a test counts"):
        assert BillingEvent.objects.count() == len(METRICS) * Tenant.objects.count() > 2 * len(METRICS)
