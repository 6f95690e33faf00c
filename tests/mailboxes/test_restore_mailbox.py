import pytest

from mailboxes.models import QuotaUsage
from mailboxes.operations import delete_mailbox, restore_mailbox, suspend_mailbox
from mailhost.errors import Refused
from tenants.operations import suspend_tenant
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def gone(world, acme):
    return delete_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "anna@acme.example"))


def test_it_comes_back_with_its_mail_and_password(world, gone):
    back = restore_mailbox(world.as_acme, mailbox=gone)

    assert (back.uid, back.password_hash, back.deleted_at) == (gone.uid, gone.password_hash, None)
    assert all((back.is_active, back.may_receive, back.may_send, back.may_imap))
    assert routes("anna@acme.example") == senders("anna@acme.example") == ["anna@acme.example"]


def test_what_another_mailbox_held_meanwhile_is_not_its_own(world, gone):
    QuotaUsage.objects.create(username="anna@acme.example", bytes=10**9, messages=7)

    restore_mailbox(world.as_acme, mailbox=gone)

    assert not QuotaUsage.objects.exists()


def test_aliases_find_it_again(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)
    delete_mailbox(world.as_acme, mailbox=anna)

    restore_mailbox(world.as_acme, mailbox=anna)

    assert routes("sales@acme.example") == senders("sales@acme.example") == ["anna@acme.example"]
    assert routes("sales@acme-shop.example") == routes("anna@acme-shop.example") == ["anna@acme.example"]


def test_a_suspended_one_comes_back_suspended(world, acme):
    anna = suspend_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "anna@acme.example"))
    delete_mailbox(world.as_acme, mailbox=anna)

    assert not restore_mailbox(world.as_acme, mailbox=anna).is_active


def test_one_of_a_suspended_tenant_comes_back_closed(world, gone):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    assert not restore_mailbox(world.as_acme, mailbox=gone).is_active


@pytest.mark.parametrize("other", ["mailbox", "alias"])
def test_an_address_taken_meanwhile_stays_with_its_new_owner(world, gone, other):
    if other == "mailbox":
        a_mailbox(world.as_acme, "anna@acme.example")
    else:
        an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")
    before = routes("anna@acme.example")

    with pytest.raises(Refused) as refused:
        restore_mailbox(world.as_acme, mailbox=gone)

    assert refused.value.code == "taken"
    assert routes("anna@acme.example") == before
    assert fresh(gone).deleted_at is not None


def test_one_that_lives_is_refused(world, acme):
    with pytest.raises(Refused) as refused:
        restore_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "anna@acme.example"))

    assert refused.value.code == "unchanged"
