"""What the database itself holds about people, whoever comes at the same moment: real connections, real locks.

MariaDB drops unique constraints that have a condition; the rules of django-allauth that have one are among these.
"""

from collections import Counter
from typing import ClassVar

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import UniqueConstraint

from accounts.actors import invited_actor
from accounts.invitation_operations import accept_invitation, invite_member
from accounts.models import Invitation, User
from accounts.operations import create_user, remove_member, set_member_role
from mailhost.errors import Refused
from mailhost.hashers import Argon2idPasswordHasher
from mailhost.scope import every_tenant
from tenants.models import Member, Role, Tenant
from tests.together import at_once
from tests.world import PASSWORD, make_world

pytestmark = pytest.mark.django_db(transaction=True)

# The rules that MariaDB dropped, and the index that holds each.
HELD = {
    "unique_verified_email": "email_verified_once",
    "unique_primary_email": "email_primary_once",
    "unique_authenticator_type": "authenticator_once",
}


@pytest.fixture
def world():
    return make_world()


def people(count: int) -> list[User]:
    return [User.objects.create(email=f"person{number}@acme.example") for number in range(count)]


def written(*acts) -> Counter:
    """Run inserts at the same moment; count how they ended."""

    def told(act):
        def run():
            try:
                act()
            except IntegrityError as error:
                raise Refused("duplicate", "", str(error)) from error

        return run

    return Counter(at_once(*map(told, acts)))


def test_every_rule_with_a_condition_is_held_by_an_index():
    dropped = {
        rule.name: model._meta.db_table
        for model in apps.get_models()
        for rule in model._meta.constraints
        if isinstance(rule, UniqueConstraint) and rule.condition is not None
    }

    assert set(dropped) == set(HELD)
    for name, table in dropped.items():
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, table)
        assert found[HELD[name]]["unique"], name


def test_one_address_is_verified_for_one_person():
    acts = [
        lambda user=user: EmailAddress.objects.create(user=user, email="anna@acme.example", verified=True)
        for user in people(8)
    ]

    assert written(*acts) == {"done": 1, "duplicate": 7}


def test_an_address_may_wait_for_its_proof_with_many():
    acts = [lambda user=user: EmailAddress.objects.create(user=user, email="anna@acme.example") for user in people(4)]

    assert written(*acts) == {"done": 4}


def test_addresses_that_only_look_alike_are_two():
    one, other = people(2)
    EmailAddress.objects.create(user=one, email="admin@acme.example", verified=True)

    EmailAddress.objects.create(user=other, email="admín@acme.example", verified=True)


def test_a_person_has_one_first_address():
    (anna,) = people(1)
    acts = [
        lambda number=number: EmailAddress.objects.create(user=anna, email=f"a{number}@acme.example", primary=True)
        for number in range(8)
    ]

    assert written(*acts) == {"done": 1, "duplicate": 7}


@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_a_person_has_one_app_and_one_set_of_codes(kind):
    (anna,) = people(1)

    outcomes = written(*[lambda: Authenticator.objects.create(user=anna, type=kind, data={})] * 8)

    assert outcomes == {"done": 1, "duplicate": 7}


def test_a_person_has_many_passkeys():
    (anna,) = people(1)

    assert written(*[lambda: Authenticator.objects.create(user=anna, type="webauthn", data={})] * 4) == {"done": 4}


def test_one_address_is_invited_once(world):
    act = lambda: invite_member(world.as_acme, email="new@elsewhere.example", role=Role.SUPPORT)  # noqa: E731

    assert Counter(at_once(*[act] * 8)) == {"done": 1, "taken": 7}


def test_an_invitation_is_taken_up_once(world):
    invitation = invite_member(world.as_acme, email="new@elsewhere.example", role=Role.SUPPORT)
    act = lambda: accept_invitation(invited_actor(invitation), invitation=invitation, password=PASSWORD)  # noqa: E731

    assert Counter(at_once(*[act] * 4)) == {"done": 1, "closed": 3}
    with every_tenant("the test counts"):
        assert (Member.objects.count(), Invitation.objects.filter(open_email__isnull=False).count()) == (1, 0)


class Watching(Argon2idPasswordHasher):
    """Hashes, and looks whether the tenant is locked meanwhile."""

    seen: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.seen.extend(at_once(look_at_acme))
        return super().encode(password, salt)


def look_at_acme() -> None:
    with transaction.atomic(), every_tenant("the test looks at a lock"):
        Tenant.objects.select_for_update(nowait=True).get(name="Acme")


@pytest.mark.parametrize("way", ["an invitation", "an operator"])
def test_nobody_waits_while_a_new_persons_password_is_hashed(world, settings, way):
    invitation = invite_member(world.as_acme, email="new@elsewhere.example", role=Role.SUPPORT)
    settings.PASSWORD_HASHERS = [f"{__name__}.Watching"]
    Watching.seen.clear()

    if way == "an invitation":
        accept_invitation(invited_actor(invitation), invitation=invitation, password=PASSWORD)
    else:
        create_user(world.as_acme, tenant=world.acme, email="o@acme.example", role=Role.ADMIN, password=PASSWORD)

    assert Watching.seen == ["done"]


@pytest.mark.parametrize("leave", ["removed", "demoted"])
def test_of_two_owners_who_go_at_once_one_stays(world, leave):
    owners = [
        create_user(world.as_acme, tenant=world.acme, email=f"{name}@acme.example", role=Role.OWNER, password=PASSWORD)
        for name in ("anna", "ben")
    ]

    def go(member: Member):
        if leave == "removed":
            remove_member(world.as_acme, member=member)
        else:
            set_member_role(world.as_acme, member=member, role=Role.SUPPORT)

    assert sorted(at_once(*[lambda member=member: go(member) for member in owners])) == ["done", "last_owner"]
