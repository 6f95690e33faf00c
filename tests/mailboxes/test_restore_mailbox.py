import pytest
from django.template.loader import render_to_string

from domains.operations import create_domain, delete_domain
from mailboxes.models import Mailbox, QuotaUsage
from mailboxes.operations import delete_mailbox, restore_mailbox, suspend_mailbox
from mailhost.errors import Refused
from mailhost.scope import tenant_scope
from tenants.operations import suspend_tenant
from tests.webside import plain_static  # noqa: F401 - a fixture
from tests.world import a_mailbox, an_alias, fresh, prove, routes, senders, verified_domain


@pytest.fixture
def gone(world, acme):
    return delete_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "anna@acme.example"))


def test_it_comes_back_with_its_mail_and_password(world, gone):
    back = restore_mailbox(world.as_acme, mailbox=gone)

    assert (back.uid, back.password_hash, back.deleted_at) == (gone.uid, gone.password_hash, None)
    assert all((back.is_active, back.may_receive, back.may_smtp, back.may_imap))
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


def bin_of(world):
    with tenant_scope(world.acme.path):
        return [(row.email, row.has_home) for row in Mailbox.objects.binned()]


def test_one_of_a_deleted_domain_waits_for_its_tenants_new_claim(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    delete_domain(world.as_acme, domain=acme)
    # Neither a claim without proof nor another tenant's domain is its home.
    claim = create_domain(world.as_acme, name="acme.example")
    theirs = verified_domain(world.as_bolt, "acme.example")
    with pytest.raises(Refused, match=r"The domain acme\.example was removed") as refused:
        restore_mailbox(world.as_acme, mailbox=fresh(anna))
    before = bin_of(world)
    delete_domain(world.as_bolt, domain=theirs)
    prove(claim)
    meanwhile = bin_of(world)

    back = restore_mailbox(world.as_acme, mailbox=fresh(anna))

    assert refused.value.code == "domain_deleted"
    assert (before, meanwhile) == ([("anna@acme.example", False)], [("anna@acme.example", True)])
    assert (back.uid, back.domain_id, back.may_receive) == (anna.uid, claim.pk, True)
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_a_stranger_is_told_nothing_of_one(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    delete_domain(world.as_acme, domain=acme)

    with pytest.raises(Refused) as refused:
        restore_mailbox(world.as_bolt, mailbox=fresh(anna))

    assert refused.value.code == "not_found"


def test_the_bin_offers_no_way_back_without_a_domain(world, acme, rf, plain_static):  # noqa: F811
    a_mailbox(world.as_acme, "anna@acme.example")
    delete_domain(world.as_acme, domain=acme)
    request = rf.get("/mailboxes/bin/")
    request.actor, request.memberships = world.as_acme, []

    with tenant_scope(world.acme.path):
        shown = render_to_string("mailboxes/bin.html", {"page": list(Mailbox.objects.binned()), "request": request})

    assert "Its domain was removed" in shown
    assert "Restore anna@acme.example" not in shown
