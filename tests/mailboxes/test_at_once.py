"""Two people do it at the same moment: real connections, real locks."""

import pytest

from accounts.models import User
from accounts.operations import add_member, remove_member
from domains.operations import create_domain, delete_domain
from mailboxes.models import Alias, Mailbox, Route
from mailboxes.operations import resume_mailbox, suspend_mailbox
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tenants.operations import resume_tenant, suspend_tenant
from tests.together import at_once
from tests.world import a_mailbox, an_alias, fresh, make_world, verified_domain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    world = make_world()
    world_domains(world)
    return world


def world_domains(world) -> None:
    verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_bolt, "bolt.example")


def test_one_address_for_eight_is_given_once(world):
    outcomes = at_once(*[lambda: a_mailbox(world.as_acme, "anna@acme.example")] * 8)

    assert sorted(outcomes) == ["done"] + ["taken"] * 7
    with every_tenant("the test counts"):
        assert Mailbox.objects.live().count() == 1
        assert Alias.objects.count() == 1


def test_a_mailbox_and_an_alias_for_one_address_end_well(world):
    outcomes = at_once(
        lambda: a_mailbox(world.as_acme, "anna@acme.example"),
        lambda: an_alias(world.as_acme, "anna@acme.example", "anna@ext.example"),
    )

    # Alias first: the mailbox is refused. Mailbox first: the alias is its forward.
    assert outcomes in (["taken", "done"], ["done", "done"])


def test_one_claim_for_eight(world):
    outcomes = at_once(*[lambda: create_domain(world.as_acme, name="shop.example")] * 8)

    assert sorted(outcomes) == ["done"] + ["taken"] * 7


@pytest.mark.parametrize("length", [2, 3, 4, 6])
def test_a_circle_never_closes(world, length):
    # Every second domain is another tenant's, and each link is written by another connection.
    owners = [(world.as_acme, "acme.example"), (world.as_bolt, "bolt.example")]
    addresses = [f"a{number}@{owners[number % 2][1]}" for number in range(length)]
    acts = [
        lambda number=number: an_alias(owners[number % 2][0], addresses[number], addresses[(number + 1) % length])
        for number in range(length)
    ]

    outcomes = at_once(*acts)

    with every_tenant("the test counts"):
        written = Alias.objects.written().count()
    assert written == outcomes.count("done")
    assert written < length
    assert set(outcomes) <= {"done", "alias_loop"}


def test_what_postfix_is_answered_follows_two_changes_of_one_alias(world):
    """The mailboxes stand in two domains, so nothing but the alias's own rows lies between the two changes."""
    verified_domain(world.as_bolt, "bolt-shop.example")
    people = [a_mailbox(world.as_bolt, name) for name in ("bob@bolt.example", "ben@bolt-shop.example")]
    an_alias(world.as_acme, "team@acme.example", *(one.email for one in people))

    for act, led in [(suspend_mailbox, []), (resume_mailbox, [one.email for one in people])] * 5:
        outcomes = at_once(*[lambda act=act, one=one: act(world.as_bolt, mailbox=one) for one in people])

        answers = [row.leads_to for row in Route.objects.filter(source="team@acme.example")]
        assert outcomes == ["done", "done"]
        assert answers == ([",".join(led)] if led else [])


def test_the_last_owner_stays(world):
    people = [User.objects.create(email=f"owner{n}@acme.example") for n in range(4)]
    members = [add_member(world.as_acme, tenant=world.acme, user=each, role=Role.OWNER) for each in people]

    outcomes = at_once(*[lambda member=member: remove_member(world.as_acme, member=member) for member in members])

    assert sorted(outcomes) == ["done"] * 3 + ["last_owner"]
    with every_tenant("the test counts"):
        assert Member.objects.filter(tenant=world.acme, role=Role.OWNER).count() == 1


def test_a_mailbox_born_during_a_suspension_is_suspended(world):
    for number in range(5):
        outcomes = at_once(
            lambda number=number: a_mailbox(world.as_acme, f"anna{number}@acme.example"),
            lambda: suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid"),
        )
        with every_tenant("the test looks"):
            open_mailboxes = Mailbox.objects.filter(email__endswith="@acme.example", is_active=True).count()
        resume_tenant(world.as_rita, tenant=world.acme)

        assert outcomes == ["done", "done"]
        assert open_mailboxes == 0


def test_a_mailbox_is_never_born_in_a_deleted_domain(world):
    domain = verified_domain(world.as_acme, "gone.example")

    outcomes = at_once(
        *[lambda number=number: a_mailbox(world.as_acme, f"anna{number}@gone.example") for number in range(4)],
        lambda: delete_domain(world.as_acme, domain=domain),
    )

    assert outcomes[-1] == "done"
    assert set(outcomes[:-1]) <= {"done", "unknown_domain", "not_found"}
    with every_tenant("the test looks"):
        assert not Mailbox.objects.live().filter(domain=domain).exists()
        assert not Alias.objects.filter(domain=domain).exists()


def test_an_alias_to_a_mailbox_that_is_just_suspended_is_not_routed(world):
    for number in range(5):
        anna = a_mailbox(world.as_acme, f"anna{number}@acme.example")
        outcomes = at_once(
            lambda anna=anna: suspend_mailbox(world.as_acme, mailbox=anna),
            lambda number=number: an_alias(world.as_bolt, f"b{number}@bolt.example", f"anna{number}@acme.example"),
        )
        with every_tenant("the test looks"):
            alias = Alias.objects.get(alias_email=f"b{number}@bolt.example")

        assert outcomes == ["done", "done"]
        assert (alias.is_routed, fresh(anna).is_active) == (False, False)
