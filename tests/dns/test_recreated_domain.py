"""A domain that is given up and comes back, to whomever, gets a key of its own; the former one never returns."""

from pathlib import Path

import pytest
from django.utils import timezone

from dns import operations, tasks
from dns.models import DkimKey, KeyState
from mailhost.scope import every_tenant


@pytest.fixture
def signing_key(verified):
    """Makes a proven domain whose key signs: `signing_key(acme, "acme.example")`."""

    def make(tenant, name: str) -> DkimKey:
        domain = verified(tenant, name)
        tasks.make_key(domain.pk)
        with every_tenant("a test has the key sign"):
            DkimKey.objects.filter(domain=domain).update(state=KeyState.ACTIVE)
            return DkimKey.objects.select_related("domain").get(domain=domain)

    return make


def give_up(key: DkimKey) -> None:
    with every_tenant("a test deletes a domain"):
        type(key.domain).objects.filter(pk=key.domain_id).update(deleted_at=timezone.now(), is_verified=False)


def files(dkim_dir: Path) -> list[str]:
    return sorted(path.name for path in (dkim_dir / "keys").iterdir())


@pytest.mark.parametrize("is_written_in_between", [True, False])
def test_the_new_owner_gets_a_new_key_and_the_former_one_is_destroyed(
    acme, customer, signing_key, dkim_dir, is_written_in_between
):
    former = signing_key(acme, "shop.example")
    operations.write_signing_tables()
    give_up(former)
    if is_written_in_between:
        operations.write_signing_tables()

    new = signing_key(customer("Bolt"), "shop.example")
    operations.write_signing_tables()

    with every_tenant("a test looks"):
        former.refresh_from_db()
    assert new.selector != former.selector
    assert new.public_key != former.public_key
    assert (former.private_key, former.fingerprint) == ("", "")
    assert files(dkim_dir) == [f"{new.selector}.{new.pk}.pem"]
    assert former.selector not in (dkim_dir / "KeyTable").read_text() + (dkim_dir / "SigningTable").read_text()


def test_a_destroyed_key_cannot_come_back_with_its_domain(acme, signing_key, dkim_dir, opendkim):
    former = signing_key(acme, "shop.example")
    operations.write_signing_tables()
    give_up(former)
    operations.write_signing_tables()
    with every_tenant("a test brings the row back"):
        type(former.domain).objects.filter(pk=former.domain_id).update(deleted_at=None, is_verified=True)

    operations.write_signing_tables()

    passed = opendkim.pass_message("anna@shop.example")
    assert (passed.reply, passed.signature) == ("t", "")
    assert files(dkim_dir) == []
