import pytest

from audit.models import Event
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Kind, Role, Tenant
from tenants.operations import create_tenant, found_installation, suspend_tenant
from tests.world import actor_of, fresh


def test_a_tenant_stands_below_its_parent(world):
    shop = create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name="  Shop ")

    assert shop.path == f"{world.rita.path}{shop.pk}/"
    assert (shop.name, shop.kind, shop.parent) == ("Shop", Kind.CUSTOMER, world.rita)
    assert (shop.may_sign_in, shop.may_send, shop.may_receive) == (True, True, True)


def test_a_tenant_below_a_suspended_one_is_born_suspended(world):
    suspend_tenant(world.as_operator, tenant=world.rita, blocks=["sending"], reason="spam")

    shop = create_tenant(world.as_operator, parent=world.rita, kind=Kind.CUSTOMER, name="Shop")

    assert (shop.may_sign_in, shop.may_send, shop.may_receive) == (True, False, True)


@pytest.mark.parametrize(
    ("parent", "kind"),
    [
        ("acme", Kind.CUSTOMER),
        ("rita", Kind.RESELLER),
        ("rita", Kind.OPERATOR),
        ("operator", Kind.OPERATOR),
        ("operator", "king"),
    ],
)
def test_a_kind_that_may_not_stand_there_is_refused(world, parent, kind):
    with pytest.raises(Refused) as refused:
        create_tenant(world.as_operator, parent=getattr(world, parent), kind=kind, name="Shop")

    assert (refused.value.code, refused.value.field) == ("invalid_kind", "kind")


def test_a_customer_creates_nobody(world):
    with pytest.raises(NotPermitted):
        create_tenant(world.as_acme, parent=world.acme, kind=Kind.CUSTOMER, name="Shop")


def test_a_reseller_creates_nobody_outside_its_own_tree(world):
    other = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Other")

    with pytest.raises(Refused) as refused:
        create_tenant(world.as_rita, parent=other, kind=Kind.CUSTOMER, name="Shop")

    assert refused.value.code == "not_found"


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "a\0b"])
def test_a_name_nobody_can_read_is_refused(world, name):
    with pytest.raises(Refused) as refused:
        create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=name)

    assert refused.value.field == "name"


def test_the_act_is_recorded_for_the_new_tenant(world):
    tenant = create_tenant(actor_of(world.rita, Role.ADMIN), parent=world.rita, kind=Kind.CUSTOMER, name="Shop")

    with every_tenant("the test reads the record"):
        record = Event.objects.latest("pk")
    assert (record.action, record.actor, record.object) == ("tenants.create", "admin@rita.example", "Shop")
    assert (record.tenant_id, record.actor_tenant_id) == (tenant.pk, world.rita.pk)
    assert record.details == {"parent": "Rita", "kind": "customer", "name": "Shop"}


def test_there_is_one_operator(world):
    with pytest.raises(Refused):
        found_installation("Another")

    assert fresh(world.operator).path == f"/{world.operator.pk}/"
    with every_tenant("the test counts"):
        assert Tenant.objects.filter(parent=None).count() == 1
