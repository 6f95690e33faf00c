"""Every address of a main domain is one of its alias domains too (mailboxes/mirror.py)."""

import pytest

from domains.operations import create_domain
from mailboxes.models import Alias
from mailboxes.operations import create_mailbox, delete_mailbox, resume_mailbox, suspend_mailbox
from mailhost.errors import Refused
from mailhost.scope import every_tenant, tenant_scope
from tests.world import PASSWORD_HASH, a_mailbox, an_alias, routes, senders, verified_domain


@pytest.fixture
def shop(world, acme):
    """acme-shop.example, an alias domain of acme.example, where Anna and an alias are already."""
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "x@ext.example")
    return verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)


def test_what_is_there_answers_under_the_other_name(world, shop):
    assert routes("anna@acme-shop.example") == ["anna@acme.example"]
    assert routes("sales@acme-shop.example") == ["anna@acme.example", "x@ext.example"]
    assert routes("nobody@acme-shop.example") == []


def test_logins_may_send_under_the_other_name(world, shop):
    assert senders("anna@acme-shop.example") == ["anna@acme.example"]
    assert senders("sales@acme-shop.example") == ["anna@acme.example"]


def test_what_comes_later_follows(world, shop):
    bert = a_mailbox(world.as_acme, "bert@acme.example")
    an_alias(world.as_acme, "info@acme.example", "bert@acme.example")
    an_alias(world.as_acme, "*@acme.example", "bert@acme.example")
    before = [routes(f"{local}@acme-shop.example") for local in ("bert", "info", "")]

    delete_mailbox(world.as_acme, mailbox=bert)

    assert before == [["bert@acme.example"]] * 3
    assert [routes(f"{local}@acme-shop.example") for local in ("bert", "info", "")] == [[], [], []]


def test_two_alias_domains_follow_one_main_domain(world, shop, acme):
    verified_domain(world.as_acme, "acme-club.example", alias_of=acme)

    a_mailbox(world.as_acme, "bert@acme.example")

    assert routes("bert@acme-shop.example") == routes("bert@acme-club.example") == ["bert@acme.example"]


def test_a_forwarding_mailbox_is_one_row_there(world, shop):
    an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")

    with every_tenant("the test looks"):
        rows = list(Alias.objects.filter(alias_email="anna@acme-shop.example").values_list("destination_email"))
    assert rows == [("anna@acme.example",)]


def test_a_suspended_mailbox_keeps_its_mail_from_the_catch_all_there(world, shop, bolt):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")
    an_alias(world.as_bolt, "friend@bolt.example", "anna@acme-shop.example")
    with tenant_scope(world.acme.path):
        anna = shop.alias_of.mailboxes.get()

    suspend_mailbox(world.as_acme, mailbox=anna)
    closed = [routes(address) for address in ("anna@acme-shop.example", "friend@bolt.example")]
    with every_tenant("the customary query asks for everybody"):
        active = Alias.objects.filter(alias_email="anna@acme-shop.example", is_active=True).exists()
    resume_mailbox(world.as_acme, mailbox=anna)

    assert closed == [["anna@acme.example"], []]
    assert not active
    assert routes("friend@bolt.example") == ["anna@acme-shop.example"]


def test_nobody_sends_as_a_suspended_mailbox_there(world, shop):
    with tenant_scope(world.acme.path):
        anna = shop.alias_of.mailboxes.get()

    suspend_mailbox(world.as_acme, mailbox=anna)

    assert senders("anna@acme-shop.example") == []
    assert routes("sales@acme-shop.example") == ["x@ext.example"]


def test_it_lists_no_addresses_of_its_own(world, shop):
    with tenant_scope(world.acme.path):
        listed = list(Alias.objects.listed().values_list("alias_email", flat=True))

    assert listed == ["sales@acme.example", "sales@acme.example"]


def test_it_gets_no_mailbox_of_its_own(world, shop):
    with pytest.raises(Refused, match=r"its addresses follow those of acme\.example") as refused:
        create_mailbox(
            world.as_acme, address="bert@acme-shop.example", password_hash=PASSWORD_HASH, storage_quota_mb=100
        )

    assert refused.value.code == "alias_domain"


def test_without_proof_it_has_no_rows(world, shop, acme):
    create_domain(world.as_acme, name="acme-later.example", alias_of=acme)

    a_mailbox(world.as_acme, "bert@acme.example")

    with every_tenant("the test looks"):
        assert not Alias.objects.filter(alias_email__endswith="@acme-later.example").exists()


LONG = "a-very-long-local-part-indeed-a-very-long-local-part-indeed@acme.example"


@pytest.fixture
def long_name():
    return ".".join(["x" * 63] * 3) + ".example"


def test_an_address_too_long_for_an_alias_domain_is_refused(world, acme, long_name):
    verified_domain(world.as_acme, long_name, alias_of=acme)

    for act in (a_mailbox, lambda actor, address: an_alias(actor, address, "x@ext.example")):
        with pytest.raises(Refused, match="more than 254 characters under the alias domain") as refused:
            act(world.as_acme, LONG)

        assert refused.value.code == "address_too_long"
        assert routes(LONG) == []


def test_an_alias_domain_too_long_for_an_address_is_refused(world, acme, long_name):
    a_mailbox(world.as_acme, LONG)

    with pytest.raises(Refused) as refused:
        verified_domain(world.as_acme, long_name, alias_of=acme)

    assert refused.value.code == "address_too_long"
