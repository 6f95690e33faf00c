from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import actor_of_key
from accounts.key_rules import grantable, is_from, scopes_for
from accounts.keys import matches, read
from accounts.models import ApiKey
from accounts.operations import create_api_key, revoke_api_key
from audit.models import Event
from mailhost.api.scopes import OF_PEOPLE, SCOPES, scope_of
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Kind, Role
from tenants.permissions import OF_KIND, OF_ROLE
from tests.world import actor_of, fresh, verified_domain

READ_DOMAINS = ["domains:read"]


def refused(actor, **arguments) -> tuple[str, str]:
    with pytest.raises(Refused) as error:
        create_api_key(actor, **{"name": "Shop", "scopes": READ_DOMAINS} | arguments)
    return error.value.code, error.value.field


def test_every_act_belongs_to_a_scope_that_the_list_names():
    actions = frozenset().union(*OF_ROLE.values(), *OF_KIND.values())

    assert {scope_of(action) for action in actions - OF_PEOPLE} <= set(SCOPES)


def test_the_text_opens_the_row_and_is_stored_nowhere(world):
    key, text = create_api_key(world.as_acme, name="Shop", scopes=READ_DOMAINS)

    prefix, secret = read(text)
    assert (key.prefix, key.tenant_id, key.scopes) == (prefix, world.acme.pk, READ_DOMAINS)
    assert matches(secret, key.digest)
    with every_tenant("the test reads all there is"):
        record = Event.objects.latest("pk")
        stored = f"{ApiKey.objects.values().get()} {record.details} {record.before} {record.after} {record.object}"
    assert secret not in stored
    assert text not in stored
    assert record.object == f"Shop ({prefix}…)"


def test_who_may_write_may_read(world):
    key, _ = create_api_key(world.as_acme, name="Shop", scopes=["mailboxes:write"])

    assert key.scopes == ["mailboxes:read", "mailboxes:write"]


def test_a_key_does_what_its_scopes_cover_and_nothing_else(world):
    key, _ = create_api_key(world.as_acme, name="Shop", scopes=["aliases:write"])

    may = actor_of_key(key).permissions

    assert may == {action for action in world.as_acme.permissions if action.startswith("aliases.")}


@pytest.mark.parametrize("scopes", [[], ["everything"], ["domains"], ["domains:delete"], ["plans:write"]])
def test_a_scope_that_means_nothing_is_refused(world, scopes):
    assert refused(world.as_acme, scopes=scopes) == ("invalid_scope", "scopes")


@pytest.mark.parametrize("role", list(Role.values))
def test_nobody_gives_away_more_than_they_have(world, role):
    actor = actor_of(world.acme, role)
    offered = grantable(actor, Kind.CUSTOMER)

    for scope, actions in scopes_for(Kind.CUSTOMER).items():
        assert (scope in offered) == (actions <= actor.permissions)
        if actor.may("keys.create") and scope not in offered:
            assert refused(actor, scopes=[scope]) == ("invalid_scope", "scopes")


def test_a_reseller_makes_a_key_for_a_customer(world):
    key, _ = create_api_key(world.as_rita, tenant=world.acme, name="Shop", scopes=READ_DOMAINS)

    assert key.tenant == key.root == world.acme


def test_a_resellers_own_key_may_be_bound_to_one_customer(world):
    key, _ = create_api_key(world.as_rita, bound_to=world.acme, name="Shop", scopes=READ_DOMAINS)

    actor = actor_of_key(key)
    assert (key.tenant, key.root) == (world.rita, world.acme)
    assert (actor.tenant_id, actor.tenant_path, actor.home_tenant_id) == (world.acme.pk, world.acme.path, world.rita.pk)


def test_a_customer_makes_no_key_for_its_reseller_or_neighbour(world):
    for tenant in (world.rita, world.bolt):
        assert refused(world.as_acme, tenant=tenant) == ("not_found", "")
        assert refused(world.as_acme, bound_to=tenant) == ("not_found", "")
    assert refused(world.as_rita, tenant=world.acme, bound_to=world.bolt) == ("unknown_tenant", "bound_to")


def test_a_key_may_be_bound_to_domains(world):
    domain = verified_domain(world.as_acme, "acme.example")

    key, _ = create_api_key(
        world.as_acme, name="Shop", scopes=["domains:write", "mailboxes:write"], domains=["ACME.example"]
    )

    assert key.domains == [{"id": domain.pk, "uid": domain.uid, "name": "acme.example"}]
    assert actor_of_key(key).domain_ids == {domain.pk}
    assert not actor_of_key(key).may("domains.create")


def test_domains_of_others_and_scopes_beyond_domains_are_refused(world):
    verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_bolt, "bolt.example")

    assert refused(world.as_acme, domains=["bolt.example"]) == ("unknown_domain", "domains")
    assert refused(world.as_acme, domains=["nobody.example"]) == ("unknown_domain", "domains")
    assert refused(world.as_rita, bound_to=world.acme, domains=["bolt.example"]) == ("unknown_domain", "domains")
    keys = {"domains": ["acme.example"], "scopes": ["keys:write"]}
    assert refused(world.as_acme, **keys) == ("invalid_scope", "scopes")


def test_networks_are_kept_in_one_form(world):
    key, _ = create_api_key(
        world.as_acme, name="Shop", scopes=READ_DOMAINS, networks=["192.0.2.77/24", "2001:DB8::1", "192.0.2.0/24"]
    )

    assert key.networks == ["192.0.2.0/24", "2001:db8::1/128"]
    assert refused(world.as_acme, networks=["everywhere"]) == ("invalid_network", "networks")
    assert refused(world.as_acme, networks=["10.0.0.0/8"] * 51) == ("invalid_network", "networks")


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("192.0.2.7", [], True),
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("198.51.100.1", ["192.0.2.0/24"], False),
        ("2001:db8::7", ["192.0.2.0/24", "2001:db8::/32"], True),
        ("2001:db9::7", ["2001:db8::/32"], False),
        ("::ffff:192.0.2.7", ["192.0.2.0/24"], True),
        ("", ["192.0.2.0/24"], False),
        ("", [], True),
        ("unix", ["0.0.0.0/0"], False),
    ],
)
def test_an_address_lies_in_a_network_or_does_not(address, networks, allowed):
    assert is_from(address, networks) is allowed


def test_an_end_that_has_passed_is_refused(world):
    assert refused(world.as_acme, expires_at=timezone.now()) == ("invalid_expiry", "expires_at")


def test_a_key_makes_no_key_that_reaches_further_than_itself(world):
    soon = timezone.now() + timedelta(days=1)
    maker, _ = create_api_key(
        world.as_acme,
        name="Maker",
        scopes=["keys:write", "domains:read"],
        networks=["192.0.2.0/24"],
        expires_at=soon,
        is_test=True,
    )
    actor = actor_of_key(maker)
    alike = {"networks": ["192.0.2.128/25"], "expires_at": soon, "is_test": True}

    assert refused(actor, **alike | {"scopes": ["mailboxes:read"]}) == ("invalid_scope", "scopes")
    assert refused(actor, **alike | {"networks": []}) == ("invalid_network", "networks")
    assert refused(actor, **alike | {"networks": ["192.0.0.0/16"]}) == ("invalid_network", "networks")
    assert refused(actor, **alike | {"networks": ["2001:db8::/32"]}) == ("invalid_network", "networks")
    assert refused(actor, **alike | {"expires_at": None}) == ("invalid_expiry", "expires_at")
    assert refused(actor, **alike | {"expires_at": soon + timedelta(seconds=1)}) == ("invalid_expiry", "expires_at")
    assert refused(actor, **alike | {"is_test": False}) == ("invalid_mode", "is_test")
    assert create_api_key(actor, name="Made", scopes=["domains:read"], **alike)[0].scopes == ["domains:read"]


def test_a_key_bound_to_a_customer_makes_keys_of_that_customer(world):
    maker, _ = create_api_key(world.as_rita, bound_to=world.acme, name="Maker", scopes=["keys:write", "domains:read"])

    made, _ = create_api_key(actor_of_key(maker), name="Made", scopes=["domains:read"])

    assert made.tenant == world.acme


def test_a_role_without_keys_makes_none(world):
    with pytest.raises(NotPermitted):
        create_api_key(actor_of(world.acme, Role.MAIL_MANAGER), name="Shop", scopes=READ_DOMAINS)


@pytest.mark.parametrize("name", ["", "x" * 81, "a\tb"])
def test_a_name_nobody_can_read_is_refused(world, name):
    assert refused(world.as_acme, name=name)[1] == "name"


def test_a_key_is_revoked_once_and_by_its_own(world):
    key, _ = create_api_key(world.as_acme, name="Shop", scopes=READ_DOMAINS)
    with pytest.raises(Refused) as refused:
        revoke_api_key(world.as_bolt, key=key)
    assert refused.value.code == "not_found"

    revoke_api_key(world.as_acme, key=key)

    assert fresh(key).revoked_at is not None
    with pytest.raises(Refused, match="revoked already"):
        revoke_api_key(world.as_acme, key=key)
