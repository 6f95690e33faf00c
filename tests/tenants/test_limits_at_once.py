"""Fifty at the same moment, with room for ten: real connections to MariaDB, real locks."""

import uuid
from collections import Counter
from dataclasses import replace

import pytest

from accounts.models import User
from accounts.operations import add_member
from domains.operations import create_domain, delete_domain
from mailboxes.operations import delete_mailbox, update_mailbox
from mailhost.actor import Actor
from mailhost.api import rate_limits
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants.models import Kind, Role
from tenants.operations import create_tenant
from tests.tenants.test_reserve import allow, used
from tests.together import at_once
from tests.world import a_mailbox, actor_of, an_alias, make_world, verified_domain

pytestmark = pytest.mark.django_db(transaction=True)

MANY, ROOM = 50, 10


@pytest.fixture
def world():
    return make_world()


def outcome(*acts) -> Counter:
    return Counter(at_once(*acts))


def test_ten_of_fifty_mailboxes_of_one_domain(world):
    verified_domain(world.as_acme, "acme.example")
    allow(world.acme, mailboxes=ROOM)

    outcomes = outcome(*[lambda n=n: a_mailbox(world.as_acme, f"m{n}@acme.example") for n in range(MANY)])

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}
    assert used(world.acme)["mailboxes"] == ROOM


def test_ten_of_fifty_mailboxes_of_five_customers_who_share_a_resellers_pool(world):
    customers = [
        create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=f"Shop {n}") for n in range(5)
    ]
    for number, customer in enumerate(customers):
        verified_domain(actor_of(customer), f"shop{number}.example")
    allow(world.rita, storage_mb=ROOM * 100)

    outcomes = outcome(
        *[lambda n=n: a_mailbox(actor_of(customers[n % 5]), f"m{n}@shop{n % 5}.example") for n in range(MANY)]
    )

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}
    assert used(world.rita)["storage_mb"] == ROOM * 100


def test_ten_of_fifty_domains(world):
    allow(world.operator, domains=ROOM)
    actors = (world.as_acme, world.as_bolt, world.as_rita)

    outcomes = outcome(*[lambda n=n: create_domain(actors[n % 3], name=f"d{n}.example") for n in range(MANY)])

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}


def test_ten_of_fifty_aliases(world):
    verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_bolt, "bolt.example")
    allow(world.rita, aliases=ROOM)
    owners = ((world.as_acme, "acme.example"), (world.as_bolt, "bolt.example"))

    outcomes = outcome(
        *[lambda n=n: an_alias(owners[n % 2][0], f"a{n}@{owners[n % 2][1]}", "x@ext.example") for n in range(MANY)]
    )

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}


def test_ten_of_fifty_customers(world):
    allow(world.operator, sub_tenants=3 + ROOM)

    outcomes = outcome(
        *[
            lambda n=n: create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=f"Shop {n}")
            for n in range(MANY)
        ]
    )

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}


def test_ten_of_fifty_members(world):
    people = [User.objects.create(email=f"p{n}@acme.example") for n in range(MANY)]
    tenants = (world.acme, world.bolt)
    allow(world.rita, members=ROOM)

    outcomes = outcome(
        *[
            lambda n=n: add_member(actor_of(tenants[n % 2]), tenant=tenants[n % 2], user=people[n], role=Role.SUPPORT)
            for n in range(MANY)
        ]
    )

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}
    assert used(world.rita)["members"] == ROOM


def test_ten_of_fifty_megabytes_for_mailboxes_that_grow(world):
    verified_domain(world.as_acme, "acme.example")
    boxes = [a_mailbox(world.as_acme, f"m{n}@acme.example", storage_quota_mb=1) for n in range(MANY)]
    allow(world.acme, storage_mb=MANY + ROOM)

    outcomes = outcome(
        *[lambda box=box: update_mailbox(world.as_acme, mailbox=box, storage_quota_mb=2) for box in boxes]
    )

    assert outcomes == {"done": ROOM, "limit_reached": MANY - ROOM}
    assert used(world.acme)["storage_mb"] == MANY + ROOM


def test_ten_of_fifty_requests_of_a_minute(world, settings):
    settings.CACHES = {"default": {"KEY_PREFIX": uuid.uuid4().hex}}
    # Of two customers of Rita's, whose plan allows them ten together.
    actors = [
        replace(customer, key_id=number, api_rates=((world.rita.pk, ROOM),))
        for number, customer in enumerate((world.as_acme, world.as_bolt))
    ]

    def ask(actor: Actor) -> None:
        quotas = rate_limits.count(actor)
        if any(quota.used > quota.limit for quota in quotas):
            raise Refused("rate_limited", "", "")

    outcomes = outcome(*[lambda n=n: ask(actors[n % 2]) for n in range(MANY)])

    assert outcomes == {"done": ROOM, "rate_limited": MANY - ROOM}


def test_what_comes_and_goes_at_once_is_counted_right(world):
    domain = verified_domain(world.as_acme, "acme.example")
    gone = verified_domain(world.as_acme, "gone.example")
    allow(world.acme, mailboxes=100)
    allow(world.rita, mailboxes=100)
    boxes = [a_mailbox(world.as_acme, f"old{n}@acme.example") for n in range(6)]
    a_mailbox(world.as_acme, "old@gone.example")

    outcomes = outcome(
        *[lambda box=box: delete_mailbox(world.as_acme, mailbox=box) for box in boxes],
        *[lambda n=n: a_mailbox(world.as_acme, f"new{n}@acme.example") for n in range(6)],
        *[lambda n=n: an_alias(world.as_acme, f"a{n}@acme.example", f"old{n}@acme.example") for n in range(6)],
        lambda: delete_domain(world.as_acme, domain=gone),
    )

    with every_tenant("the test counts"):
        live = domain.mailboxes.filter(deleted_at=None).count()
    assert outcomes == {"done": 19}
    assert (used(world.acme)["mailboxes"], live) == (6, 6)
    assert used(world.rita) == {"domains": 1, "mailboxes": 6, "storage_mb": 600, "aliases": 6, "sub_tenants": 2}
