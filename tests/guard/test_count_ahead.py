"""Counts sent to the real Redis before their answers are needed."""

import secrets
from datetime import UTC, datetime

import pytest

from guard.counter import Count, Counter
from tenants import messages
from tenants.messages import Sender

NOON = datetime(2026, 5, 19, 12, 30, tzinfo=UTC)


@pytest.fixture
def acme(stack) -> Sender:
    """A tenant that nobody has counted for, with three messages an hour."""
    return Sender(10**9 + secrets.randbelow(10**9), per_hour=3)


@pytest.fixture
def counter() -> Counter:
    """A counter whose connection is made."""
    counter = Counter()
    counter.answer_to(Count(NOON, 1, [Sender(1)]))
    return counter


def sent_ahead(counter: Counter, recipients: int, *senders: Sender) -> Count:
    count = Count(NOON, recipients, senders)
    counter.send_ahead(count)
    assert count.is_sent
    return count


def used(sender: Sender) -> int:
    return messages.used_now(sender.tenant_id, NOON)["messages_per_hour"]


def test_each_gets_its_own_answer_in_whatever_order_they_are_asked_for(acme, counter):
    first, second, third = (sent_ahead(counter, recipients, acme) for recipients in (2, 2, 1))

    answers = [counter.answer_to(count) for count in (third, first, second)]

    assert answers == [[], [], [0, 0, 2]]
    assert used(acme) == 3


def test_what_is_taken_back_leaves_room_for_the_next(acme, counter):
    above = Sender(acme.tenant_id + 1, per_day=3)
    gone = sent_ahead(counter, 3, acme, above)
    too_many = sent_ahead(counter, 1, acme, above)

    counter.take_back(gone)
    counter.take_back(gone)

    assert counter.answer_to(too_many) == [0, 0, 3]
    assert (used(acme), used(above)) == (0, 0)
    assert messages.redis().hget(messages.keys(NOON)[2], str(acme.tenant_id)) == "0"
    assert counter.answer_to(sent_ahead(counter, 3, acme, above)) == []


def test_what_was_not_counted_is_not_taken_back(acme, counter):
    passed, too_many = sent_ahead(counter, 2, acme), sent_ahead(counter, 2, acme)

    counter.take_back(too_many)

    assert counter.answer_to(passed) == []
    assert used(acme) == 2


def test_a_redis_that_has_forgotten_the_script_is_told_it_again(acme, counter):
    messages.redis().script_flush()
    first, second = sent_ahead(counter, 1, acme), sent_ahead(counter, 1, acme)

    assert (counter.answer_to(second), counter.answer_to(first)) == ([], [])
    assert used(acme) == 2


def test_what_waited_on_a_connection_that_broke_is_asked_again(acme, counter):
    counter._connection.send_command("CLIENT", "ID")
    number = counter._connection.read_response()
    assert messages.redis().client_kill_filter(_id=number) == 1
    waiting = Count(NOON, 2, [acme])
    counter.send_ahead(waiting)

    assert counter.answer_to(waiting) == []
    assert used(acme) == 2
    assert counter.answer_to(sent_ahead(counter, 2, acme)) == [0, 0, 2]
