import pytest

from domains.operations import set_domain_enabled
from mailhost.errors import Refused
from mailhost.models import Job
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def acme(world):
    domain = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    return domain


def test_off_closes_everything_and_on_opens_it_again(world, acme):
    anna = a_mailbox(world.as_acme, "bert@acme.example")

    off = set_domain_enabled(world.as_acme, domain=acme, enabled=False)
    closed = fresh(anna)
    closed_routes = routes("anna@acme.example") + routes("sales@acme.example") + senders("sales@acme.example")
    on = set_domain_enabled(world.as_acme, domain=acme, enabled=True)

    assert (off.is_active, off.is_verified, off.has_proof) == (False, False, True)
    assert not any((closed.is_active, closed.may_receive, closed.may_smtp, closed.may_imap, closed.may_pop3))
    assert closed_routes == []
    assert (on.is_active, on.is_verified) == (True, True)
    assert fresh(anna).is_active
    assert senders("sales@acme.example") == ["anna@acme.example"]


def test_sessions_end(world, acme):
    Job.objects.all().delete()

    set_domain_enabled(world.as_acme, domain=acme, enabled=False)

    assert {job.task: job.arguments for job in Job.objects.all()} == {
        "mailboxes.tasks.end_sessions": {"address_mask": "*@acme.example"},
    }


def test_its_alias_domain_is_off_with_it(world, acme):
    alias = verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    set_domain_enabled(world.as_acme, domain=acme, enabled=False)

    assert not fresh(alias).is_verified
    assert routes("anna@acme-shop.example") == []


def test_what_is_so_already_is_refused(world, acme):
    with pytest.raises(Refused) as refused:
        set_domain_enabled(world.as_acme, domain=acme, enabled=True)

    assert (refused.value.code, refused.value.field) == ("unchanged", "enabled")


def test_a_stranger_finds_no_domain(world, acme):
    with pytest.raises(Refused) as refused:
        set_domain_enabled(world.as_bolt, domain=acme, enabled=False)

    assert refused.value.code == "not_found"
    assert fresh(acme).is_enabled
