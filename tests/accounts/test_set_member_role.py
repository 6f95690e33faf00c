"""Changing what a member may do, and keeping at least one owner."""

import pytest

from accounts.operations import create_user, remove_member, set_member_role
from mailhost.errors import NotPermitted, Refused
from tenants.models import Member, Role
from tests.world import PASSWORD, actor_of, fresh


def a_member(world, role: str, name: str = "anna") -> Member:
    return create_user(world.as_acme, tenant=world.acme, email=f"{name}@acme.example", role=role, password=PASSWORD)


def refused(act, *arguments, **named) -> str:
    with pytest.raises(Refused) as caught:
        act(*arguments, **named)
    return caught.value.code


def test_a_member_gets_another_role(world):
    anna = a_member(world, Role.SUPPORT)

    set_member_role(world.as_acme, member=anna, role=Role.ADMIN)

    assert fresh(anna).role == "admin"


def test_the_last_owner_stays_owner(world):
    anna = a_member(world, Role.OWNER)

    assert refused(set_member_role, world.as_acme, member=anna, role=Role.ADMIN) == "last_owner"
    a_member(world, Role.OWNER, "ben")
    assert set_member_role(world.as_acme, member=anna, role=Role.ADMIN).role == "admin"


def test_an_admin_reaches_no_owner(world):
    anna, admin = a_member(world, Role.OWNER), actor_of(world.acme, Role.ADMIN)
    a_member(world, Role.OWNER, "ben")

    assert refused(set_member_role, admin, member=anna, role=Role.SUPPORT) == "stronger_member"
    assert refused(remove_member, admin, member=anna) == "stronger_member"


def test_an_admin_makes_no_owner(world):
    anna = a_member(world, Role.SUPPORT)

    assert refused(set_member_role, actor_of(world.acme, Role.ADMIN), member=anna, role=Role.OWNER) == "invalid_role"


@pytest.mark.parametrize("role", [Role.MAIL_MANAGER, Role.SUPPORT, Role.BILLING, Role.READ_ONLY])
def test_others_change_nobody(world, role):
    with pytest.raises(NotPermitted):
        set_member_role(actor_of(world.acme, role), member=a_member(world, Role.SUPPORT), role=Role.READ_ONLY)


def test_a_strangers_member_does_not_exist(world):
    assert refused(set_member_role, world.as_bolt, member=a_member(world, Role.SUPPORT), role="admin") == "not_found"


@pytest.mark.parametrize(("role", "code"), [("king", "invalid_role"), ("support", "unchanged")])
def test_what_changes_nothing_is_refused(world, role, code):
    assert refused(set_member_role, world.as_acme, member=a_member(world, Role.SUPPORT), role=role) == code
