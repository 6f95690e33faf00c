"""Sent messages are counted for everybody above, held to limits in one step, stored once, and seen in usage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.closing import close_days
from billing.models import BillingEvent
from mailhost.scope import every_tenant
from tenants import messages, usage
from tenants.messages import Sender
from tenants.models import Kind, SentMessages, Tenant
from tenants.move_operations import move_tenant
from tenants.operations import create_tenant
from tenants.purge import finish
from tests.world import fresh

NOON = datetime(2026, 5, 19, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def counts(world):
    """Nothing counted: Redis outlives a test, and its database does not."""

    def forget():
        found = list(messages.redis().scan_iter(match=f"{messages._key('*', '*')}"))
        if found:
            messages.redis().delete(*found)

    forget()
    yield
    forget()


def send(number: int, *senders: Sender | Tenant, now: datetime = NOON, run: str = "first") -> messages.Reached | None:
    """Count messages as the guard does; the first sender is whose they are."""
    given = [one if isinstance(one, Sender) else Sender(one.pk) for one in senders]
    arguments = messages.arguments(number, given, run)
    answer = messages.redis().eval(messages.COUNT, 3, *messages.keys(now), *arguments)
    return messages.reached(answer, number, given, now)


def stored(tenant: Tenant) -> list[tuple[str, int]]:
    with every_tenant("a test looks"):
        rows = SentMessages.objects.filter(tenant=tenant).order_by("day", "run")
        return [(f"{row.day:%d.%m.}", row.messages) for row in rows]


def test_the_last_message_below_a_limit_passes_and_the_next_is_told_which(world):
    acme = Sender(world.acme.pk, per_hour=3)

    passed = [send(1, acme, world.rita), send(2, acme, world.rita)]
    reached = send(1, acme, world.rita)

    assert passed == [None, None]
    assert (reached.name, reached.most, reached.used, reached.is_own) == ("messages_per_hour", 3, 3, True)
    assert str(reached) == (
        "The limit is 3 messages an hour, once for each recipient: 3 were sent, and this is 1 more. "
        "Try again after 13:00 UTC."
    )
    assert send(3, acme, world.rita, now=NOON + timedelta(minutes=30)) is None


def test_a_pool_above_binds_customers_together_and_its_figures_are_not_told(world):
    rita = Sender(world.rita.pk, per_day=5)

    assert send(3, world.acme, rita) is None
    reached = send(3, world.bolt, rita)

    assert (reached.name, reached.is_own) == ("messages_per_day", False)
    assert str(reached) == (
        "The account that provides yours has reached its limit of messages a day. Try again after 00:00 UTC."
    )
    assert send(2, world.bolt, rita) is None


def test_what_is_put_off_counts_for_nobody(world):
    send(9, Sender(world.acme.pk), Sender(world.rita.pk, per_hour=4))

    assert messages.used_now(world.acme.pk, NOON) == {"messages_per_hour": 0, "messages_per_day": 0}
    assert messages.store(NOON) == 0


def test_fifty_at_once_with_ten_left_are_ten(world):
    acme, rita = Sender(world.acme.pk), Sender(world.rita.pk, per_hour=10)

    with ThreadPoolExecutor(50) as senders:
        found = list(senders.map(lambda _: send(1, acme, rita), range(50)))

    assert found.count(None) == 10
    assert messages.used_now(world.rita.pk, NOON)["messages_per_hour"] == 10


def test_a_day_is_stored_whole_however_often_and_goes_on(world):
    send(3, world.acme, world.rita)
    written = [messages.store(NOON), messages.store(NOON)]
    send(4, world.acme, world.rita)
    send(1, world.rita)
    messages.store(NOON)

    assert written == [1, 0]
    assert stored(world.acme) == [("19.05.", 7)]
    assert stored(world.rita) == [("19.05.", 1)]


def test_what_was_counted_stays_when_redis_loses_its_memory(world):
    send(3, world.acme)
    messages.store(NOON)
    messages.redis().delete(*messages.keys(NOON))
    send(2, world.acme, run="second")
    messages.store(NOON)

    assert stored(world.acme) == [("19.05.", 3), ("19.05.", 2)]


def test_days_that_nobody_stored_in_time_are_not_missing(world):
    for days in range(3):
        send(days + 1, world.acme, now=NOON + timedelta(days=days))

    messages.store(NOON + timedelta(days=3))

    assert stored(world.acme) == [("19.05.", 1), ("20.05.", 2), ("21.05.", 3)]


def test_usage_tells_today_and_this_month_with_everybody_below(world):
    now = timezone.now()
    send(3, world.acme, world.rita, now=now)
    send(2, world.rita, now=now)
    messages.store(now)

    acme, rita = usage.usage_of(fresh(world.acme)), usage.usage_of(fresh(world.rita))

    assert (acme.total["sent_today"], acme.total["sent_this_month"]) == (3, 3)
    assert (rita.own["sent_today"], rita.total["sent_today"], rita.total["sent_this_month"]) == (2, 5, 5)
    assert usage.usage_of(fresh(world.bolt)).total["sent_today"] == 0


def test_a_moved_customer_takes_what_it_sent_along(world):
    now = timezone.now()
    other = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Otto")
    send(3, world.acme, now=now)
    messages.store(now)

    move_tenant(world.as_operator, tenant=world.acme, parent=other)

    assert usage.usage_of(fresh(other)).total["sent_today"] == 3
    assert usage.usage_of(fresh(world.rita)).total["sent_today"] == 0


def test_a_purge_leaves_no_figures(world):
    send(3, world.acme)
    messages.store(NOON)
    with every_tenant("a test purges"):
        Tenant.objects.filter(pk=world.acme.pk).update(deleted_at=NOON, purged_at=NOON)

    finish(world.acme)
    messages.store(NOON)

    assert stored(world.acme) == []


def test_each_day_is_billed_with_what_was_sent_on_it(world):
    with every_tenant("a test closes a day"):
        Tenant.objects.update(created_at=NOON - timedelta(days=9))
        send(3, world.acme, world.rita)
        messages.store(NOON)
        close_days(NOON + timedelta(days=1))
        sent = dict(BillingEvent.objects.filter(metric="messages").values_list("tenant", "value"))

    assert (sent[world.acme.pk], sent[world.rita.pk]) == (3, 0)


# ANALYZE commits, so nothing of this test is rolled back.
@pytest.mark.django_db(transaction=True)
def test_a_total_is_an_index_range_for_each_day(world):
    with every_tenant("a test writes figures"):
        SentMessages.objects.bulk_create(
            SentMessages(tenant=tenant, path=tenant.path, day=NOON.date() - timedelta(days=days), run="1", messages=1)
            for tenant in (world.acme, world.bolt, world.rita, world.operator)
            for days in range(100)
        )
        with CaptureQueriesContext(connection) as asked:
            sent = usage._sent(world.acme, NOON.date())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE tenants_sentmessages")
        cursor.fetchall()
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        [row] = [dict(zip([column[0] for column in cursor.description], each, strict=True)) for each in cursor]

    assert (sent.own, sent.total) == ({"sent_today": 1, "sent_this_month": 19},) * 2
    assert (row["key"], row["type"], "Using index" in row["Extra"]) == ("sent_by_subtree", "range", True)
    assert int(row["rows"]) <= 2 * NOON.day


def test_a_message_that_never_fits_is_told_to_be_split(world):
    acme = Sender(world.acme.pk, per_hour=3)

    assert str(send(5, acme)) == (
        "This message has 5 recipients, and the limit is 3 messages an hour. Send it to fewer at once."
    )
