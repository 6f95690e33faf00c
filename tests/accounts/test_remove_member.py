import pytest

from accounts.models import User
from accounts.operations import add_member, remove_member
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants.models import Member, Role


@pytest.fixture
def owners(world):
    people = [User.objects.create(email=f"{name}@acme.example") for name in ("anna", "bert")]
    return [add_member(world.as_acme, tenant=world.acme, user=person, role=Role.OWNER) for person in people]


def members() -> int:
    with every_tenant("the test counts"):
        return Member.objects.count()


def test_a_member_leaves_and_the_person_stays(world, owners):
    remove_member(world.as_acme, member=owners[0])

    assert members() == 1
    assert User.objects.filter(email="anna@acme.example").exists()


def test_the_last_owner_stays(world, owners):
    remove_member(world.as_acme, member=owners[0])

    with pytest.raises(Refused) as refused:
        remove_member(world.as_acme, member=owners[1])

    assert refused.value.code == "last_owner"
    assert members() == 1


def test_another_role_is_no_owner(world, owners):
    helper = User.objects.create(email="helper@acme.example")
    add_member(world.as_acme, tenant=world.acme, user=helper, role=Role.ADMIN)
    remove_member(world.as_acme, member=owners[0])

    with pytest.raises(Refused, match="no owner"):
        remove_member(world.as_acme, member=owners[1])


def test_a_stranger_finds_no_member(world, owners):
    with pytest.raises(Refused) as refused:
        remove_member(world.as_bolt, member=owners[0])

    assert refused.value.code == "not_found"
    assert members() == 2
