"""A removed domain within its grace: what comes back, for whom, and under which proof."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dns.records import challenge_name, challenge_value
from domains import tasks
from domains.models import Domain
from domains.operations import create_domain, delete_domain
from domains.removal_operations import removed_domains, restore_domain
from mailboxes.denial_operations import deny_address
from mailboxes.models import Alias, KeptAlias, Mailbox
from mailboxes.operations import delete_mailbox, restore_mailbox
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Allowance, Role
from tests.apiside import Caller, make_key
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def acme(world, dns_server):
    """Acme's domain, whose proof stands in the DNS."""
    domain = verified_domain(world.as_acme, "acme.example")
    dns_server.says_text(challenge_name("acme.example"), challenge_value(domain.challenge))
    a_mailbox(world.as_acme, "anna@acme.example")
    a_mailbox(world.as_acme, "ben@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "ben+sales@acme.example")
    an_alias(world.as_acme, "ben@acme.example", "friend@elsewhere.example")
    an_alias(world.as_acme, "*@acme.example", "anna@acme.example")
    deny_address(world.as_acme, domain=domain, address="spam")
    return domain


def rows_of(domain) -> list[tuple]:
    """All that daemons read of its aliases."""
    columns = ("uid", "tenant_id", "alias_email", "destination_email", "own_mailbox_id", "target_mailbox_id")
    flags = ("is_enabled", "is_denial", "is_active", "is_routed", "may_send_as", "created_at")
    with every_tenant("a test looks at rows"):
        return list(Alias.objects.filter(domain=domain).order_by("uid").values_list(*columns, *flags))


def used(world) -> tuple[int, int, int, int]:
    with tenant_scope(world.acme.path):
        page = Allowance.objects.get(tenant=world.acme)
    return page.used_domains, page.used_mailboxes, page.used_aliases, page.used_storage_mb


def removed_days_ago(domain, days: float) -> None:
    """Let the removal be so long ago."""
    with every_tenant("a test turns the clock"):
        then = timezone.now() - timedelta(days=days)
        Mailbox.objects.filter(domain=domain, deleted_at=fresh(domain).deleted_at).update(deleted_at=then)
        Domain.objects.filter(pk=domain.pk).update(deleted_at=then)


def refusal(world, domain, actor=None) -> str:
    with pytest.raises(Refused) as refused:
        restore_domain(actor or world.as_acme, domain=domain)
    return refused.value.code


def test_all_comes_back_as_it_was(world, acme):
    before, limits = rows_of(acme), used(world)
    gone = delete_domain(world.as_acme, domain=acme)
    assert (rows_of(acme), used(world)) == ([], (0, 0, 0, 0))

    back = restore_domain(world.as_acme, domain=gone)

    assert (back.deleted_at, back.is_verified, back.is_frozen) == (None, True, False)
    assert (rows_of(acme), used(world)) == (before, limits)
    with tenant_scope(world.acme.path):
        assert set(Mailbox.objects.live().values_list("email", "may_receive")) == {
            ("anna@acme.example", True),
            ("ben@acme.example", True),
        }
        assert not KeptAlias.objects.exists()


def test_what_was_in_the_bin_before_stays_there(world, acme):
    with tenant_scope(world.acme.path):
        mailbox = Mailbox.objects.select_related("domain").get(email="anna@acme.example")
    anna = delete_mailbox(world.as_acme, mailbox=mailbox)

    restore_domain(world.as_acme, domain=delete_domain(world.as_acme, domain=acme))

    assert fresh(anna).deleted_at == anna.deleted_at
    assert restore_mailbox(world.as_acme, mailbox=fresh(anna)).is_active


def test_aliases_elsewhere_find_its_mailboxes_again(world, acme):
    verified_domain(world.as_acme, "second.example")
    an_alias(world.as_acme, "anna@second.example", "anna@acme.example")

    restore_domain(world.as_acme, domain=delete_domain(world.as_acme, domain=acme))

    assert senders("anna@second.example") == ["anna@acme.example"]


def test_it_gets_a_new_key_and_the_signer_is_told(world, acme):
    gone = delete_domain(world.as_acme, domain=acme)
    Job.objects.all().delete()

    restore_domain(world.as_acme, domain=gone)

    assert set(Job.objects.values_list("task", flat=True)) == {
        "dns.tasks.refresh_records",
        "dns.tasks.make_key",
        "dns.tasks.write_signing_tables",
    }


def test_an_alias_domain_follows_its_main_domain_again(world, acme, dns_server):
    labs = verified_domain(world.as_acme, "acme-labs.example", alias_of=acme)
    dns_server.says_text(challenge_name("acme-labs.example"), challenge_value(labs.challenge))
    gone = delete_domain(world.as_acme, domain=labs)
    assert routes("anna@acme-labs.example") == []

    restore_domain(world.as_acme, domain=gone)

    assert routes("anna@acme-labs.example") == ["anna@acme.example"]
    with every_tenant("a test looks at rows"):
        assert set(Alias.objects.filter(domain=labs).values_list("tenant_id", flat=True)) == {world.acme.pk}


def test_the_main_domain_comes_back_before_its_alias_domain(world, acme):
    labs = verified_domain(world.as_acme, "acme-labs.example", alias_of=acme)
    gone = delete_domain(world.as_acme, domain=labs)
    delete_domain(world.as_acme, domain=acme)

    assert refusal(world, gone) == "invalid_main_domain"


def test_a_claim_without_proof_comes_back_as_one(world, dns_server):
    gone = delete_domain(world.as_acme, domain=create_domain(world.as_acme, name="acme.example"))

    back = restore_domain(world.as_acme, domain=gone)

    assert (back.deleted_at, back.has_proof, back.is_verified) == (None, False, False)


def test_who_has_added_it_again_restores_nothing(world, acme):
    gone = delete_domain(world.as_acme, domain=acme)
    create_domain(world.as_acme, name="acme.example")

    assert refusal(world, gone) == "taken"


def test_a_name_that_has_gone_to_somebody_else_stays_theirs(world, acme):
    gone = delete_domain(world.as_acme, domain=acme)
    verified_domain(world.as_bolt, "acme.example")
    bob = a_mailbox(world.as_bolt, "anna@acme.example")

    assert refusal(world, gone) == "taken"
    assert fresh(bob).is_active
    assert routes("sales@acme.example") == []


def test_a_name_below_somebody_elses_waits_for_their_word(world, acme):
    gone = delete_domain(world.as_acme, domain=acme)
    verified_domain(world.as_bolt, "shop.acme.example")

    assert refusal(world, gone) == "needs_consent"


def test_a_stranger_finds_none(world, acme):
    gone = delete_domain(world.as_acme, domain=acme)

    assert refusal(world, gone, world.as_bolt) == "not_found"
    with pytest.raises(NotPermitted):
        restore_domain(world.actor(world.acme, Role.READ_ONLY), domain=gone)
    with tenant_scope(world.bolt.path):
        assert not removed_domains(timezone.now()).exists()


def test_one_that_is_there_is_not_restored(world, acme):
    assert refusal(world, acme) == "unchanged"


def test_without_its_record_it_is_frozen_from_the_removal_on(world, acme, dns_server):
    gone = delete_domain(world.as_acme, domain=acme)
    dns_server.says_text(challenge_name("acme.example"))

    back = restore_domain(world.as_acme, domain=gone)

    assert (back.is_verified, back.proof_lapsed_at) == (True, gone.deleted_at)


def test_after_the_grace_of_proofs_the_record_is_asked_for(world, acme, dns_server, settings):
    settings.MAILHOST_PROOF_GRACE_DAYS = 7
    gone = delete_domain(world.as_acme, domain=acme)
    removed_days_ago(gone, 8)
    dns_server.says_text(challenge_name("acme.example"))
    assert refusal(world, gone) == "no_proof"
    dns_server.fails(challenge_name("acme.example"))
    assert refusal(world, gone) == "dns_unavailable"
    dns_server.recovers(challenge_name("acme.example"))
    dns_server.says_text(challenge_name("acme.example"), challenge_value(gone.challenge))

    back = restore_domain(world.as_acme, domain=gone)

    assert (back.is_verified, back.is_frozen) == (True, False)
    assert routes("sales@acme.example") == ["anna@acme.example", "ben+sales@acme.example"]


def test_after_its_grace_nothing_is_left_but_mailboxes_in_the_bin(world, acme, settings):
    settings.MAILHOST_GRACE_DAYS = 30
    gone = delete_domain(world.as_acme, domain=acme)
    removed_days_ago(gone, 29)
    tasks.forget_removed()
    with tenant_scope(world.acme.path):
        assert KeptAlias.objects.exists()
        assert list(removed_domains(timezone.now())) == [gone]
    removed_days_ago(gone, 31)

    tasks.forget_removed()

    assert refusal(world, gone) == "grace_over"
    with tenant_scope(world.acme.path):
        assert not KeptAlias.objects.exists()
        assert not removed_domains(timezone.now()).exists()
        assert Mailbox.objects.deleted().count() == 2


def test_a_circle_that_closed_meanwhile_is_refused(world, acme):
    verified_domain(world.as_bolt, "bolt.example")
    an_alias(world.as_acme, "round@acme.example", "round@bolt.example")
    gone = delete_domain(world.as_acme, domain=acme)
    an_alias(world.as_bolt, "round@bolt.example", "round@acme.example")

    assert refusal(world, gone) == "alias_loop"
    assert fresh(gone).deleted_at is not None


def test_over_rest_by_its_name(world, acme):
    caller = Caller(make_key(world.acme))
    assert caller.call("DELETE", "/domains/acme.example").status_code == 204

    back = caller.call("POST", "/domains/acme.example/restore")
    again = caller.call("POST", "/domains/acme.example/restore")

    assert (back.status_code, back.json()["status"]) == (200, "verified")
    assert again.status_code == 404
    assert caller.read("/domains/acme.example")["id"] == back.json()["id"]


def test_over_rest_the_removed_ones_are_a_list_of_their_own(world, acme):
    caller, others = Caller(make_key(world.acme)), Caller(make_key(world.bolt))
    long_ago = delete_domain(world.as_acme, domain=create_domain(world.as_acme, name="former.example"))
    with every_tenant("the test turns the clock"):
        Domain.objects.filter(pk=long_ago.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    caller.call("DELETE", "/domains/acme.example")

    [removed] = caller.read("/domains?status=deleted")["data"]
    live = caller.read("/domains")["data"]
    of_others = others.read("/domains?status=deleted")["data"]

    assert (removed["name"], removed["status"], removed["deleted_at"] is None) == ("acme.example", "deleted", False)
    assert (live, of_others) == ([], [])
    back = caller.call("POST", f"/domains/{removed['id']}/restore")
    assert (back.status_code, back.json()["deleted_at"]) == (200, None)
    assert caller.read("/domains?status=deleted")["data"] == []
