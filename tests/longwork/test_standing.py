"""Long work goes on for as long as whoever began it may: rights are those of the moment, not of the beginning."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.actors import actor_of_impersonation, actor_of_key, actor_of_member
from accounts.impersonation_operations import end_impersonation, sign_in_as
from accounts.models import ApiKey, Impersonation, User
from accounts.operations import (
    create_api_key,
    remove_member,
    revoke_api_key,
    set_member_role,
    set_second_factor,
)
from longwork.models import LongWork
from longwork.works import begin
from mailboxes.models import Mailbox
from mailhost.actor import Actor
from mailhost.scope import every_tenant
from tenants.models import Member, Role, SecondFactor
from tenants.operations import resume_tenant, suspend_tenant
from tests.longwork.test_works import work_off
from tests.routes.cast import Statements, a_member
from tests.world import PASSWORD_HASH, fresh, verified_domain

pytestmark = pytest.mark.django_db

STEP, ALL = 100, 130
GONE = "no longer a member"
KEY_GONE = "is revoked, has expired"


@pytest.fixture
def domain(world):
    return verified_domain(world.as_acme, "acme.example")


def begun(actor: Actor, domain) -> LongWork:
    """Begin a batch of two steps, and do the first."""
    items = [
        {"email": f"u{n}@{domain}", "password_hash": PASSWORD_HASH, "storage_quota": 5} for n in range(ALL)
    ]  # fmt: skip
    with every_tenant("a test begins long work"):
        work = begin(
            actor, "mailboxes.works.create_batch", kind="mailboxes.create", total=ALL, mode="partial", items=items
        )
    work_off(2)
    assert fresh(work).done == STEP
    return work


def assert_stopped(work: LongWork, code: str, words: str) -> None:
    """It has ended, says why, and what its first step has done stays and is told."""
    work_off()
    work = fresh(work)
    assert (work.state, work.fault["code"]) == ("failed", code)
    assert words in work.fault["detail"]
    assert (work.done, work.result["created"], work.sealed_arguments) == (STEP, STEP, "")
    with every_tenant("a test counts"):
        assert Mailbox.objects.live().count() == STEP


def a_key(world, **columns) -> ApiKey:
    key, _ = create_api_key(world.as_acme, name="Import", scopes=["domains:read", "mailboxes:write"])
    with every_tenant("the tests' cast"):
        ApiKey.objects.filter(pk=key.pk).update(**columns or {"name": "Import"})
        return ApiKey.objects.select_related("tenant", "bound_to", "made_by").get(pk=key.pk)


def as_member(world, role: str, tenant=None) -> tuple[Member, Actor]:
    place = a_member(tenant or world.acme, role)
    return place, actor_of_member(place, place.user)


def revoked(world, key: ApiKey) -> None:
    revoke_api_key(world.as_acme, key=key)


def expired(world, key: ApiKey) -> None:
    with every_tenant("the test turns the clock"):
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def from_elsewhere(world, key: ApiKey) -> None:
    with every_tenant("the test binds a key to a network"):
        ApiKey.objects.filter(pk=key.pk).update(networks=["192.0.2.0/24"])


@pytest.mark.parametrize("happens", [revoked, expired, from_elsewhere])
def test_it_ends_with_its_key(world, domain, happens):
    key = a_key(world)
    work = begun(actor_of_key(key, address="127.0.0.1"), domain)

    happens(world, key)

    assert_stopped(work, "not_permitted", KEY_GONE)


def test_it_ends_with_the_scope_of_its_key(world, domain):
    key = a_key(world)
    work = begun(actor_of_key(key), domain)

    with every_tenant("the test takes a scope"):
        ApiKey.objects.filter(pk=key.pk).update(scopes=["domains:read", "mailboxes:read"])

    assert_stopped(work, "not_permitted", "mailboxes.create")


def test_a_key_whose_tenant_may_not_sign_in_gets_no_further(world, domain):
    work = begun(actor_of_key(a_key(world)), domain)

    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sign_in"], reason="unpaid")

    assert_stopped(work, "account_suspended", "Unpaid.")
    # What has ended does not begin again.
    resume_tenant(world.as_rita, tenant=world.acme)
    work_off()
    assert fresh(work).state == "failed"


def test_it_ends_with_the_membership(world, domain):
    a_member(world.acme, Role.OWNER)
    place, actor = as_member(world, Role.MAIL_MANAGER)
    work = begun(actor, domain)

    remove_member(world.as_acme, member=place)

    assert_stopped(work, "not_permitted", GONE)


def test_it_ends_when_the_role_is_lowered(world, domain):
    a_member(world.acme, Role.OWNER)
    place, actor = as_member(world, Role.MAIL_MANAGER)
    work = begun(actor, domain)

    set_member_role(world.as_acme, member=place, role=Role.READ_ONLY)

    assert_stopped(work, "not_permitted", "mailboxes.create")


def test_it_ends_with_the_account_of_the_person(world, domain):
    place, actor = as_member(world, Role.ADMIN)
    work = begun(actor, domain)

    User.objects.filter(pk=place.user_id).update(is_active=False)

    assert_stopped(work, "not_permitted", GONE)


def asked_of_all(world, settings) -> None:
    set_second_factor(world.as_acme, second_factor=SecondFactor.EVERYBODY)


def asked_of_the_role(world, settings) -> None:
    settings.MAILHOST_SECOND_FACTOR_ROLES = [Role.MAIL_MANAGER]


@pytest.mark.parametrize("happens", [asked_of_all, asked_of_the_role])
def test_it_ends_when_a_second_factor_is_asked_that_the_person_lacks(world, domain, settings, happens):
    _, actor = as_member(world, Role.MAIL_MANAGER)
    work = begun(actor, domain)

    happens(world, settings)

    assert_stopped(work, "not_permitted", "asks for a second factor")


@pytest.mark.parametrize("happens", [asked_of_all, asked_of_the_role])
def test_who_has_the_second_factor_that_is_asked_goes_on(world, domain, settings, happens):
    place, actor = as_member(world, Role.MAIL_MANAGER)
    Authenticator.objects.create(user=place.user, type=Authenticator.Type.TOTP, data={})
    work = begun(actor, domain)

    happens(world, settings)
    work_off()

    assert fresh(work).state == "succeeded"


def test_a_person_whose_tenant_may_not_sign_in_gets_no_further(world, domain):
    _, actor = as_member(world, Role.ADMIN)
    work = begun(actor, domain)

    suspend_tenant(world.as_operator, tenant=world.rita, blocks=["sign_in"], reason="abuse", note="Ask Paula.")

    # Why somebody above is suspended is not for those below.
    assert_stopped(work, "account_suspended", "Ask your provider.")
    assert "Paula" not in fresh(work).fault["detail"]


def acting(world) -> tuple[Actor, Impersonation, Actor]:
    """Return somebody of Rita's, and as whom of Acme's they have signed in."""
    _, own = as_member(world, Role.ADMIN, world.rita)
    place, _ = as_member(world, Role.OWNER)
    started = sign_in_as(own, member=place, reason="An import that does not work")
    return own, started, actor_of_impersonation(started, place)


def ended(world, own: Actor, started: Impersonation) -> None:
    end_impersonation(own, impersonation=started)


def over(world, own: Actor, started: Impersonation) -> None:
    with every_tenant("the test turns the clock"):
        Impersonation.objects.filter(pk=started.pk).update(ends_at=timezone.now())


def without_right(world, own: Actor, started: Impersonation) -> None:
    with every_tenant("the test lowers a role"):
        Member.objects.filter(user=own.user_id).update(role=Role.SUPPORT)


def without_factor(world, own: Actor, started: Impersonation) -> None:
    set_second_factor(world.as_rita, second_factor=SecondFactor.LEADERS)


@pytest.mark.parametrize("happens", [ended, over, without_right, without_factor])
def test_it_ends_with_the_time_of_whoever_signed_in_as_somebody(world, domain, happens):
    own, started, actor = acting(world)
    work = begun(actor, domain)

    happens(world, own, started)

    assert_stopped(work, "not_permitted", "signed in as this person is over")


def test_nothing_that_stays_as_it_was_ends_it(world, domain):
    _, member = as_member(world, Role.MAIL_MANAGER)
    works = [begun(member, domain)]
    work_off()
    with every_tenant("the test makes room"):
        Mailbox.objects.all().delete()
    works.append(begun(acting(world)[2], domain))
    work_off()

    assert [fresh(work).state for work in works] == ["succeeded", "succeeded"]


def test_asking_again_costs_a_step_few_statements(world, domain):
    with every_tenant("a test begins long work"):
        works = [
            begin(actor, "tests.longwork.test_works.whose", kind="whose")
            for actor in (world.as_acme, as_member(world, Role.ADMIN)[1], actor_of_key(a_key(world)), acting(world)[2])
        ]
    counts = []
    for work in works:
        work_off(1)
        with Statements() as asked:
            work_off(1)
        assert fresh(work).state == "succeeded"
        counts.append(len(asked))

    assert [count - counts[0] for count in counts[1:]] == [1, 1, 3]
