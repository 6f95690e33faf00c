import pytest

from accounts.keys import matches, read
from accounts.models import ApiKey
from accounts.operations import create_api_key, revoke_api_key
from audit.models import Event
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.world import actor_of, fresh


def test_the_text_opens_the_row_and_is_stored_nowhere(world):
    key, text = create_api_key(world.as_acme, name="Shop")

    prefix, secret = read(text)
    assert (key.prefix, key.tenant_id, key.role) == (prefix, world.acme.pk, Role.ADMIN)
    assert matches(secret, key.digest)
    with every_tenant("the test reads all there is"):
        record = Event.objects.latest("pk")
        stored = f"{ApiKey.objects.values().get()} {record.details} {record.object}"
    assert secret not in stored
    assert text not in stored
    assert record.object == f"Shop ({prefix}…)"


def test_a_reseller_makes_a_key_for_a_customer(world):
    key, _ = create_api_key(world.as_rita, tenant=world.acme, name="Shop", role=Role.OWNER)

    assert key.tenant == world.acme


def test_nobody_gives_away_more_than_they_have(world):
    with pytest.raises(Refused) as refused:
        create_api_key(actor_of(world.acme, Role.ADMIN), name="Shop", role=Role.OWNER)

    assert (refused.value.code, refused.value.field) == ("invalid_role", "role")


def test_a_customer_makes_no_key_for_its_reseller_or_neighbour(world):
    for tenant in (world.rita, world.bolt):
        with pytest.raises(Refused) as refused:
            create_api_key(world.as_acme, tenant=tenant, name="Shop")
        assert refused.value.code == "not_found"


def test_a_role_without_keys_makes_none(world):
    with pytest.raises(NotPermitted):
        create_api_key(actor_of(world.acme, Role.MAIL_MANAGER), name="Shop")


@pytest.mark.parametrize("name", ["", "x" * 81, "a\tb"])
def test_a_name_nobody_can_read_is_refused(world, name):
    with pytest.raises(Refused) as refused:
        create_api_key(world.as_acme, name=name)

    assert refused.value.field == "name"


def test_a_key_is_revoked_once_and_by_its_own(world):
    key, _ = create_api_key(world.as_acme, name="Shop")
    with pytest.raises(Refused) as refused:
        revoke_api_key(world.as_bolt, key=key)
    assert refused.value.code == "not_found"

    revoke_api_key(world.as_acme, key=key)

    assert fresh(key).revoked_at is not None
    with pytest.raises(Refused, match="revoked already"):
        revoke_api_key(world.as_acme, key=key)
