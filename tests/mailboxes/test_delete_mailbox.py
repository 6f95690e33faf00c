import pytest

from mailboxes.models import Alias, QuotaUsage
from mailboxes.operations import delete_mailbox, restore_mailbox
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import tenant_scope
from tests.world import PASSWORD_HASH, a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def anna(world, acme):
    return a_mailbox(world.as_acme, "anna@acme.example")


def test_the_address_is_free_and_the_row_stays(world, anna):
    gone = delete_mailbox(world.as_acme, mailbox=anna)

    assert gone.deleted_at is not None
    assert not any((gone.is_active, gone.may_receive, gone.may_smtp, gone.may_imap))
    assert (gone.uid, gone.password_hash) == (anna.uid, PASSWORD_HASH)
    assert routes("anna@acme.example") == []
    job = Job.objects.get(task="mailboxes.tasks.end_sessions")
    assert job.arguments == {"address_mask": "anna@acme.example"}


def test_what_it_holds_is_no_longer_counted_under_the_address(world, anna):
    QuotaUsage.objects.create(username="anna@acme.example", bytes=10**9, messages=7)

    delete_mailbox(world.as_acme, mailbox=anna)

    assert not QuotaUsage.objects.exists()


def test_its_forwards_go_with_it(world, anna):
    an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")

    delete_mailbox(world.as_acme, mailbox=anna)

    with tenant_scope(world.acme.path):
        assert not Alias.objects.exists()


def test_aliases_to_it_wait(world, anna, bolt):
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "anna+shop@acme.example", "x@ext.example")
    an_alias(world.as_bolt, "friend@bolt.example", "anna@acme.example")

    delete_mailbox(world.as_acme, mailbox=anna)

    assert routes("sales@acme.example") == ["x@ext.example"]
    assert routes("friend@bolt.example") == senders("sales@acme.example") == []


def test_a_catch_all_gets_what_comes_for_it_now(world, anna):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")

    delete_mailbox(world.as_acme, mailbox=anna)

    assert routes("anna@acme.example") == []
    assert routes("sales@acme.example") == ["anna@acme.example"]


def test_the_alias_domain_forgets_it_too(world, anna, acme):
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    delete_mailbox(world.as_acme, mailbox=anna)

    assert routes("anna@acme-shop.example") == []


def test_deleting_twice_finds_nothing(world, anna):
    delete_mailbox(world.as_acme, mailbox=anna)

    with pytest.raises(Refused) as refused:
        delete_mailbox(world.as_acme, mailbox=anna)

    assert refused.value.code == "not_found"


def test_a_stranger_finds_nothing(world, anna):
    for act in (delete_mailbox, restore_mailbox):
        with pytest.raises(Refused) as refused:
            act(world.as_bolt, mailbox=anna)
        assert refused.value.code == "not_found"
    assert fresh(anna).is_active
