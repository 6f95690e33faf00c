import pytest

from accounts.actors import actor_of_user
from accounts.models import User
from accounts.operations import add_member, create_user
from audit.models import Event
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.world import PASSWORD, actor_of


def test_a_person_signs_in_for_the_tenant(world):
    member = create_user(
        world.as_acme, tenant=world.acme, email=" Anna@Acme.Example ", role=Role.ADMIN, password=PASSWORD, name="Anna"
    )

    assert member.user.email == "anna@acme.example"
    assert member.user.check_password(PASSWORD)
    actor = actor_of_user(User.objects.get_by_natural_key("ANNA@acme.example"))
    assert (actor.tenant_id, actor.role) == (world.acme.pk, Role.ADMIN)


def test_a_reseller_makes_the_first_owner_of_a_customer(world):
    member = create_user(
        world.as_rita, tenant=world.acme, email="anna@acme.example", role=Role.OWNER, password=PASSWORD
    )

    assert (member.tenant, member.role) == (world.acme, Role.OWNER)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"email": "anna"}, "invalid_email", "email"),
        ({"email": "ännä@acme.example"}, "invalid_email", "email"),
        ({"password": "short"}, "weak_password", "password"),
        ({"password": "anna@acme.example"}, "weak_password", "password"),
        ({"role": "king"}, "invalid_role", "role"),
        ({"name": "a\nb"}, "invalid_name", "name"),
    ],
)
def test_what_is_wrong_is_named(world, changes, code, field):
    arguments = {"email": "anna@acme.example", "role": Role.ADMIN, "password": PASSWORD} | changes

    with pytest.raises(Refused) as refused:
        create_user(world.as_acme, tenant=world.acme, **arguments)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert not User.objects.exists()


def test_one_address_signs_in_one_person(world):
    create_user(world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.ADMIN, password=PASSWORD)

    with pytest.raises(Refused) as refused:
        create_user(world.as_bolt, tenant=world.bolt, email="ANNA@acme.example", role=Role.ADMIN, password=PASSWORD)

    assert refused.value.code == "taken"


def test_a_person_of_two_tenants_joins_each_once(world):
    member = create_user(
        world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.ADMIN, password=PASSWORD
    )
    add_member(world.as_bolt, tenant=world.bolt, user=member.user, role=Role.SUPPORT)

    with pytest.raises(Refused) as refused:
        add_member(world.as_bolt, tenant=world.bolt, user=member.user, role=Role.ADMIN)

    assert refused.value.code == "taken"


def test_only_owners_add_people_and_only_in_their_tree(world):
    with pytest.raises(NotPermitted):
        create_user(
            actor_of(world.acme, Role.ADMIN), tenant=world.acme, email="x@acme.example", role="admin", password=PASSWORD
        )
    with pytest.raises(Refused) as refused:
        create_user(world.as_bolt, tenant=world.acme, email="x@acme.example", role="admin", password=PASSWORD)

    assert refused.value.code == "not_found"


def test_the_password_is_in_no_record(world):
    create_user(world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.ADMIN, password=PASSWORD)

    with every_tenant("the test reads the record"):
        record = Event.objects.latest("pk")
    assert PASSWORD not in f"{record.details} {record.object}"
    assert record.details["email"] == "anna@acme.example"
