import pytest

from domains.operations import create_domain, delete_domain
from mailboxes.models import Alias
from mailboxes.operations import restore_mailbox
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def acme(world):
    domain = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    return domain


def test_mailboxes_go_with_it_and_keep_their_mail(world, acme):
    anna = a_mailbox(world.as_acme, "bert@acme.example")

    domain = delete_domain(world.as_acme, domain=acme)

    gone = fresh(anna)
    assert domain.deleted_at is not None
    assert (gone.deleted_at is not None, gone.is_active, gone.uid) == (True, False, anna.uid)
    with every_tenant("the test counts"):
        assert not Alias.objects.exists()


def test_an_alias_elsewhere_leads_out_into_the_world_again(world, acme):
    verified_domain(world.as_bolt, "bolt.example")
    an_alias(world.as_bolt, "friend@bolt.example", "anna@acme.example")

    delete_domain(world.as_acme, domain=acme)

    # The name may have another server now, so it is an address like any other.
    assert routes("friend@bolt.example") == ["anna@acme.example"]


def test_an_alias_elsewhere_loses_its_sender_right(world, acme):
    verified_domain(world.as_acme, "second.example")
    an_alias(world.as_acme, "anna@second.example", "anna@acme.example")
    before = senders("anna@second.example")

    delete_domain(world.as_acme, domain=acme)

    assert before == ["anna@acme.example"]
    assert senders("anna@second.example") == []


def test_sessions_end_and_the_signer_is_told(world, acme):
    Job.objects.all().delete()

    delete_domain(world.as_acme, domain=acme)

    assert {job.task: job.arguments for job in Job.objects.all()} == {
        "dns.tasks.write_signing_tables": {},
        "mailboxes.tasks.end_sessions": {"address_mask": "*@acme.example"},
    }


def test_the_name_can_be_claimed_again_and_is_empty(world, acme):
    delete_domain(world.as_acme, domain=acme)

    again = verified_domain(world.as_acme, "acme.example")
    anna = a_mailbox(world.as_acme, "anna@acme.example")

    assert again.pk != acme.pk
    assert again.challenge != acme.challenge
    with every_tenant("the test looks for the former mailbox"):
        former = acme.mailboxes.get()
    assert former.uid != anna.uid
    with pytest.raises(Refused) as refused:
        restore_mailbox(world.as_acme, mailbox=former)
    assert refused.value.code == "taken"


def test_alias_domains_go_first(world, acme):
    alias = create_domain(world.as_acme, name="acme-shop.example", alias_of=acme)

    with pytest.raises(Refused) as refused:
        delete_domain(world.as_acme, domain=acme)
    assert refused.value.code == "has_alias_domains"
    assert "acme-shop.example" in refused.value.message

    delete_domain(world.as_acme, domain=alias)
    delete_domain(world.as_acme, domain=acme)
    assert fresh(acme).deleted_at is not None


def test_deleting_an_alias_domain_leaves_the_main_domain_alone(world, acme):
    alias = verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    delete_domain(world.as_acme, domain=alias)

    assert routes("anna@acme-shop.example") == []
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_a_stranger_finds_no_domain(world, acme):
    for actor in (world.as_bolt, world.as_acme):
        with pytest.raises(Refused) as refused:
            delete_domain(actor, domain=acme if actor == world.as_bolt else delete_domain(actor, domain=acme))
        assert refused.value.code == "not_found"
