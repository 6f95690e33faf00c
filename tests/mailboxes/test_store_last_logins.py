"""From what Dovecot notes in Redis to what the panel shows; tests/mail asks the real Dovecot."""

import os
from datetime import UTC, datetime

import pytest
from redis import Redis

from mailboxes.app_password_operations import create_app_password
from mailboxes.last_logins import PREFIX, store_last_logins
from mailboxes.models import LastLogin, SignIn
from mailboxes.operations import delete_mailbox
from mailhost.scope import every_tenant
from tests.world import a_mailbox, fresh

# Seconds since 1970, after every mailbox here was created.
LATER = int(datetime.now(UTC).timestamp()) + 3600


@pytest.fixture
def redis(stack):
    # Another of Redis' databases than the one that the stack's own worker and beat use, and one for each test worker.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with Redis.from_url(stack.info["redis"]["url"], single_connection_client=True) as redis:
        redis.select(9 + worker % 6)
        redis.flushdb()
        yield redis
        redis.flushdb()


def note(redis: Redis, address: str, service: str, seconds: int) -> None:
    redis.set(f"{PREFIX}{address}/{service}", seconds, ex=604800)


def run(redis: Redis) -> int:
    with every_tenant("a task for the whole installation"):
        return store_last_logins(redis)


def stored() -> dict[str, tuple[datetime, str]]:
    return {row.mailbox.email: (row.at, row.service) for row in LastLogin.objects.select_related("mailbox")}


def by_protocol(address: str) -> dict[str, datetime]:
    with every_tenant("a test looks at its rows"):
        return dict(SignIn.objects.filter(mailbox__email=address).values_list("service", "at"))


def test_the_newest_sign_in_of_each_mailbox_is_stored_and_forgotten(world, acme, redis):
    for local in ("anna", "bert", "carl"):
        a_mailbox(world.as_acme, f"{local}@acme.example")
    note(redis, "anna@acme.example", "imap", LATER)
    note(redis, "anna@acme.example", "pop3", LATER + 500)
    note(redis, "bert@acme.example", "imap", LATER + 100)

    assert run(redis) == 3
    assert by_protocol("anna@acme.example") == {
        "imap": datetime.fromtimestamp(LATER, UTC),
        "pop3": datetime.fromtimestamp(LATER + 500, UTC),
    }
    assert stored() == {
        "anna@acme.example": (datetime.fromtimestamp(LATER + 500, UTC), "pop3"),
        "bert@acme.example": (datetime.fromtimestamp(LATER + 100, UTC), "imap"),
    }
    assert redis.keys() == []


def test_a_run_touches_only_what_signed_in_since_the_last(world, acme, redis, django_assert_num_queries):
    for number in range(20):
        a_mailbox(world.as_acme, f"m{number}@acme.example")
        note(redis, f"m{number}@acme.example", "imap", LATER)
    run(redis)
    note(redis, "m3@acme.example", "imap", LATER + 9999)

    with django_assert_num_queries(3):
        assert run(redis) == 1
    with django_assert_num_queries(0):
        assert run(redis) == 0
    assert stored()["m3@acme.example"][0] == datetime.fromtimestamp(LATER + 9999, UTC)
    assert len(stored()) == 20


def test_a_sign_in_during_the_run_is_kept_for_the_next(world, acme, redis, monkeypatch):
    a_mailbox(world.as_acme, "anna@acme.example")
    note(redis, "anna@acme.example", "imap", LATER)
    from mailboxes import last_logins

    store = last_logins._store

    def store_slowly(noted):
        store(noted)
        note(redis, "anna@acme.example", "imap", LATER + 7)

    monkeypatch.setattr(last_logins, "_store", store_slowly)
    run(redis)
    monkeypatch.undo()

    assert run(redis) == 1
    assert stored()["anna@acme.example"][0] == datetime.fromtimestamp(LATER + 7, UTC)


def test_what_is_nobodys_is_forgotten_and_nothing_else_is_touched(world, acme, redis):
    delete_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "gone@acme.example"))
    note(redis, "gone@acme.example", "imap", LATER)
    redis.set(f"{PREFIX}odd@acme.example/imap", "no number")
    redis.set("celery", "kept")

    run(redis)

    assert stored() == {}
    assert redis.keys() == [b"celery"]


def test_a_sign_in_of_the_former_owner_is_not_shown(world, acme, redis):
    created = int(a_mailbox(world.as_acme, "anna@acme.example").created_at.timestamp())
    a_mailbox(world.as_acme, "bert@acme.example")
    note(redis, "anna@acme.example", "imap", created - 1)
    note(redis, "bert@acme.example", "imap", created + 5)

    run(redis)

    assert list(stored()) == ["bert@acme.example"]
    assert redis.keys() == []


def test_the_use_of_an_app_password_is_the_sign_in_of_its_mailbox(world, acme, redis):
    anna, bert = (a_mailbox(world.as_acme, f"{local}@acme.example") for local in ("anna", "bert"))
    row, _ = create_app_password(world.as_acme, mailbox=anna, name="Phone", protocols=["imap"])
    other, _ = create_app_password(world.as_acme, mailbox=bert, name="Phone", protocols=["imap"])
    note(redis, "anna@acme.example", "imap", LATER)
    note(redis, "anna@acme.example", f"imap/{row.selector}", LATER + 60)
    note(redis, "anna@acme.example", f"imap/{other.selector}", LATER + 90)

    run(redis)

    assert (fresh(row).last_used_at, fresh(row).last_used_by) == (datetime.fromtimestamp(LATER + 60, UTC), "imap")
    assert fresh(other).last_used_at is None
    assert by_protocol("anna@acme.example") == {"imap": datetime.fromtimestamp(LATER + 90, UTC)}
    assert redis.keys() == []
