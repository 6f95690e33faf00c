"""Whatever a key is asked to make, what it makes opens nothing that it does not open itself."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actors import actor_of_key
from accounts.models import ApiKey
from accounts.operations import create_api_key
from mailhost.errors import Refused
from tenants.models import Kind
from tenants.move_operations import move_tenant
from tenants.operations import create_tenant
from tests.apiside import Caller, assert_problem
from tests.world import actor_of, make_world, verified_domain

NAMES = ("operator", "rita", "acme", "bolt")
SCOPES = ["keys:write", "domains:write", "mailboxes:read", "tenants:write", "plans:read", "audit:read", "members:write"]
NETWORKS = ["192.0.2.0/24", "192.0.2.64/26", "192.0.2.77", "198.51.100.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0"]
NOW = timezone.now()

bounds = st.fixed_dictionaries(
    {
        "scopes": st.lists(st.sampled_from(SCOPES), min_size=1, unique=True),
        "tenant": st.sampled_from(NAMES),
        "bound_to": st.none() | st.sampled_from(NAMES),
        "domains": st.just(()) | st.lists(st.sampled_from(["acme.example", "bolt.example"]), unique=True),
        "networks": st.lists(st.sampled_from(NETWORKS), max_size=3, unique=True),
        "expires_at": st.none() | st.integers(1, 3).map(lambda days: NOW + timedelta(days=days)),
        "is_test": st.booleans(),
    }
)


@pytest.fixture
def world(db):
    world = make_world()
    verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_bolt, "bolt.example")
    return world


def made(world, actor, wanted: dict) -> ApiKey | None:
    """Return the key that this actor gets when it asks so, or None."""
    tenants = {name: getattr(world, wanted[name]) for name in ("tenant", "bound_to") if wanted[name]}
    try:
        with transaction.atomic():
            return create_api_key(actor, name="Made", **wanted | {"bound_to": None} | tenants)[0]
    except Refused:
        return None


def assert_within(inner: ApiKey, outer: ApiKey) -> None:
    one, other = actor_of_key(inner), actor_of_key(outer)
    assert one.tenant_path.startswith(other.tenant_path)
    assert one.permissions <= other.permissions
    assert other.domain_ids is None or (one.domain_ids is not None and one.domain_ids <= other.domain_ids)
    assert other.is_test <= one.is_test
    assert outer.expires_at is None or (inner.expires_at is not None and inner.expires_at <= outer.expires_at)
    if outer.networks:
        networks = [ip_network(network) for network in outer.networks]
        assert inner.networks
        for network in map(ip_network, inner.networks):
            assert any(network.version == each.version and network.subnet_of(each) for each in networks)
    assert inner.tenant.path.startswith(outer.tenant.path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=bounds, second=bounds, third=bounds)
def test_a_key_of_a_key_of_a_key_lies_within_each(world, first, second, third):
    with transaction.atomic():
        maker = made(
            world, actor_of(getattr(world, first["tenant"])), first | {"scopes": [*first["scopes"], SCOPES[0]]}
        )
        for wanted in (second | {"scopes": [*second["scopes"], SCOPES[0]]}, third):
            key = made(world, actor_of_key(maker), wanted) if maker else None
            if key is not None:
                assert_within(key, maker)
            maker = key
        transaction.set_rollback(True)


@pytest.mark.parametrize("by", ["person", "bound key", "key of a key"])
def test_a_key_that_was_made_from_above_ends_where_its_customer_goes_to_somebody_else(world, by):
    actor = world.as_rita
    if by != "person":
        wide = {"scopes": ["keys:write", "domains:read"]}
        actor = actor_of_key(create_api_key(actor, name="Bound", bound_to=world.acme, **wide)[0])
        if by == "key of a key":
            actor = actor_of_key(create_api_key(actor, name="Between", **wide)[0])
    from_above = Caller(create_api_key(actor, tenant=world.acme, name="Shop", scopes=["domains:read"])[1])
    own = Caller(create_api_key(world.as_acme, name="Own", scopes=["domains:read"])[1])
    sela = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Sela")
    assert from_above.read("/domains")["data"]

    move_tenant(world.as_operator, tenant=world.acme, parent=sela)

    assert_problem(from_above.call("GET", "/domains"), 401, "not_authenticated")
    assert own.read("/domains")["data"]


def test_such_keys_are_made_at_all(world):
    """So that the property above is about something: asked for what a key has itself, it is given."""
    alike = {"scopes": ["keys:write"], "networks": NETWORKS[:1], "expires_at": NOW + timedelta(days=1), "is_test": True}
    wanted = {"tenant": "rita", "bound_to": "acme", "domains": (), **alike}

    maker = made(world, world.as_rita, wanted)
    key = made(world, actor_of_key(maker), wanted | {"tenant": "acme", "bound_to": None})

    assert key is not None
    assert_within(key, maker)
