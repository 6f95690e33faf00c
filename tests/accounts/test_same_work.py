"""Whether an address is known shows in no answer and in no time: the work is the same, counted and not timed.

What takes long is counted: the hashes of passwords, and the questions to the database. A clock would tell how busy the
machine is.
"""

from collections import Counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.operations import create_user
from mailboxes import passwords
from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox, suspend_mailbox
from mailhost import hashers
from mailhost.scope import every_tenant
from selfservice import operations
from tenants.models import Role
from tenants.operations import suspend_tenant
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import PASSWORD, World, a_mailbox, make_world, verified_domain

KNOWN, OFF, WITHOUT, UNKNOWN = (f"{name}@acme.example" for name in ("anna", "otto", "wilma", "nobody"))


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of those names
    world = make_world()
    for email in (KNOWN, OFF, WITHOUT):
        create_user(world.as_operator, tenant=world.acme, email=email, role=Role.OWNER, password=PASSWORD)
    with every_tenant("a test makes people of every kind"):
        User.objects.filter(email=OFF).update(is_active=False)
        without = User.objects.get(email=WITHOUT)
        without.set_unusable_password()
        without.save()
    return world


@pytest.fixture
def hashed(monkeypatch) -> Counter:
    """How often a password was hashed or compared since the test began, by everybody who can."""
    counted: Counter = Counter()

    def counting(owner, name: str) -> None:
        real = getattr(owner, name)

        def count(*arguments, **options):
            counted["hashes"] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, count)

    for name in ("encode", "verify"):
        counting(hashers.Argon2idPasswordHasher, name)
    counting(operations, "verify")
    counting(passwords, "hash_password")
    return counted


def work_of(act, email: str, hashed: Counter) -> tuple[int, int, int]:
    """Return what one attempt is answered and takes: status, hashes, statements."""
    hashed.clear()
    with CaptureQueriesContext(connection) as asked:
        answer = act(email)
    return answer.status_code, hashed["hashes"], len(asked)


def sign_in(email: str):
    return Client().post("/sign-in/", {"email": email, "password": "wrong wrong wrong"})


def name_an_address(email: str):
    return Client().post("/sign-in/", {"email": email})


def ask_for_reset(email: str):
    return Client().post("/password/forgotten/", {"email": email})


def open_mailbox(email: str):
    return Client().post("/mailbox/sign-in/", {"email": email, "password": "wrong wrong wrong"})


@pytest.mark.parametrize("suspended", [False, True])
def test_signing_in_to_the_panel(world, hashed, suspended):
    if suspended:
        suspend_tenant(world.as_operator, tenant=world.acme, reason="unpaid")

    work = {email: work_of(sign_in, email, hashed) for email in (KNOWN, OFF, WITHOUT, UNKNOWN)}

    assert set(work.values()) == {work[UNKNOWN]}, work
    assert work[UNKNOWN][:2] == (422, 1)


def test_the_first_step_of_signing_in_looks_nobody_up(world, hashed):
    work = {email: work_of(name_an_address, email, hashed) for email in (KNOWN, OFF, WITHOUT, UNKNOWN)}

    assert set(work.values()) == {(200, 0, 0)}, work


def test_asking_for_a_new_password(world, hashed):
    work = {email: work_of(ask_for_reset, email, hashed) for email in (KNOWN, OFF, WITHOUT, UNKNOWN)}

    assert set(work.values()) == {work[UNKNOWN]}, work
    assert work[UNKNOWN][:2] == (302, 0)


def test_signing_in_to_a_mailbox(world, hashed):
    verified_domain(world.as_acme, "acme.example")
    known, off, gone = (a_mailbox(world.as_acme, email).email for email in (KNOWN, OFF, WITHOUT))
    with every_tenant("a test finds mailboxes"):
        rows = {row.email: row for row in Mailbox.objects.select_related("domain")}
    suspend_mailbox(world.as_acme, mailbox=rows[off])
    delete_mailbox(world.as_acme, mailbox=rows[gone])
    # Once, what is compared with where there is no mailbox is made.
    operations.nobodys_hash()

    work = {email: work_of(open_mailbox, email, hashed) for email in (known, off, gone, UNKNOWN)}

    assert set(work.values()) == {work[UNKNOWN]}, work
    assert work[UNKNOWN][:2] == (422, 1)


def test_the_counter_counts(world, hashed):
    """So that the above is about something: a hash that is made, and one that is compared, is seen."""
    user = User()

    user.set_password(PASSWORD)
    user.check_password(PASSWORD)

    assert hashed["hashes"] == 2
