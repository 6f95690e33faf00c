"""Proof is looked at again for life: what follows when it goes, comes back, or somebody else shows it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from dns.models import DkimKey
from dns.records import challenge_name, challenge_value
from domains import tasks
from domains.models import Domain, DomainNotice
from domains.operations import create_domain, set_domain_enabled, verify_domain
from domains.proof import Proof
from domains.proof_operations import note_proof, settle_claim, withdraw_proof
from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox, restore_mailbox
from mailhost.background import run
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.deletion_operations import delete_tenant
from tests.dns.keys import give_signing_key
from tests.world import a_mailbox, an_alias, fresh, routes, verified_domain

GRACE = timedelta(days=7)


@pytest.fixture(autouse=True)
def dkim_keys(settings):
    from cryptography.fernet import Fernet

    settings.MAILHOST_DKIM_KEYS = [Fernet.generate_key().decode()]


@pytest.fixture
def publish(dns_server):
    """`publish(domain, …)` shows these claims' tokens under their name, and no others."""

    def show(*domains) -> None:
        name = challenge_name(domains[0].domain_name)
        dns_server.says_text(name, *[challenge_value(domain.challenge) for domain in domains])

    return show


@pytest.fixture
def acme(world):
    return verified_domain(world.as_acme, "acme.example")


def note(domain: Domain, proof: Proof, now=None) -> Domain:
    with every_tenant("a check of all domains"):
        row = Domain.objects.select_related("tenant").get(pk=domain.pk)
        note_proof(row, proof, now=now or timezone.now())
    return fresh(domain)


def age(domain: Domain, **columns) -> Domain:
    with every_tenant("a test lets time pass"):
        Domain.objects.filter(pk=domain.pk).update(**columns)
    return fresh(domain)


def told(domain: Domain) -> list[str]:
    with every_tenant("a test reads"):
        return list(DomainNotice.objects.filter(domain=domain).order_by("pk").values_list("event", flat=True))


def test_a_lapse_is_told_at_once_and_mail_goes_on_for_the_grace(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")

    lapsed = note(acme, Proof.LACKING)
    tasks.settle_proofs()

    assert lapsed.proof_lapsed_at is not None
    assert told(acme) == ["domain.proof_lapsed"]
    assert fresh(acme).is_verified
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_while_it_lasts_nothing_is_added_and_what_is_there_may_be_taken_away(world, acme):
    anna, ben = a_mailbox(world.as_acme, "anna@acme.example"), a_mailbox(world.as_acme, "ben@acme.example")
    delete_mailbox(world.as_acme, mailbox=ben)
    set_domain_enabled(world.as_acme, domain=acme, enabled=False)
    lapsed = note(acme, Proof.LACKING)
    refused = []

    for change in (
        lambda: a_mailbox(world.as_acme, "carl@acme.example"),
        lambda: an_alias(world.as_acme, "sales@acme.example", "anna@acme.example"),
        lambda: restore_mailbox(world.as_acme, mailbox=ben),
        lambda: create_domain(world.as_acme, name="acme-shop.example", alias_of=lapsed),
        lambda: set_domain_enabled(world.as_acme, domain=lapsed, enabled=True),
    ):
        with pytest.raises(Refused) as refusal:
            change()
        refused.append(refusal.value.code)
    delete_mailbox(world.as_acme, mailbox=anna)

    assert refused == ["frozen"] * 5


def test_silence_of_dns_is_no_lapse_and_ends_none(acme):
    assert note(acme, Proof.UNKNOWN).proof_lapsed_at is None
    lapsed = note(acme, Proof.LACKING)

    assert note(acme, Proof.UNKNOWN).proof_lapsed_at == lapsed.proof_lapsed_at


def test_proof_that_comes_back_opens_changes_again(world, acme):
    note(acme, Proof.LACKING)

    restored = note(acme, Proof.STANDS)

    a_mailbox(world.as_acme, "anna@acme.example")
    assert restored.proof_lapsed_at is None
    assert told(acme) == ["domain.proof_lapsed", "domain.proof_restored"]


def test_after_the_grace_delivery_stops_and_the_key_is_destroyed(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")
    give_signing_key(acme.pk)
    age(acme, proof_lapsed_at=timezone.now() - GRACE)

    tasks.settle_proofs()

    lost = fresh(acme)
    assert (lost.has_proof, lost.is_verified, lost.owned_name) == (False, False, None)
    assert routes("anna@acme.example") == []
    assert lost.challenge != acme.challenge
    with every_tenant("a test looks"):
        assert [(key.state, key.private_key) for key in DkimKey.objects.filter(domain=acme)] == [("retired", "")]
        assert Mailbox.objects.live().filter(domain=acme).count() == 1
    assert told(acme) == ["domain.lost"]


def test_who_proves_it_again_has_all_as_before(world, acme, publish):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    age(acme, proof_lapsed_at=timezone.now() - GRACE)
    tasks.settle_proofs()
    publish(fresh(acme))

    verify_domain(world.as_acme, domain=fresh(acme))

    assert fresh(anna).is_active
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_the_token_of_a_lost_domain_proves_nothing_any_more(world, acme, publish):
    age(acme, proof_lapsed_at=timezone.now() - GRACE)
    publish(acme)
    tasks.settle_proofs()

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=fresh(acme))

    assert refused.value.code == "no_proof"


def test_the_next_owner_of_a_lost_name_meets_nothing_of_the_former(world, acme, publish):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    age(acme, proof_lapsed_at=timezone.now() - GRACE)
    tasks.settle_proofs()
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(claim)

    claim = verify_domain(world.as_bolt, domain=claim)
    theirs = a_mailbox(world.as_bolt, "anna@acme.example")

    assert theirs.uid != anna.uid
    assert fresh(anna).deleted_at is not None
    assert routes("sales@acme.example") == []
    with pytest.raises(Refused):
        restore_mailbox(world.as_bolt, mailbox=anna)
    with every_tenant("a test looks"):
        assert list(claim.mailboxes.values_list("pk", flat=True)) == [theirs.pk]


@pytest.fixture
def contest(world, acme, publish):
    """Acme holds the name, Bolt has shown proof of it, and the grace is over."""
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(acme, claim)
    verify_domain(world.as_bolt, domain=claim)
    return age(claim, contested_at=timezone.now() - GRACE)


def test_a_strangers_proof_is_told_to_the_holder_and_changes_nothing_yet(world, acme, publish):
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(acme, claim)

    verify_domain(world.as_bolt, domain=claim)
    tasks.settle_proofs()

    assert fresh(acme).is_verified
    assert (told(acme), told(claim)) == (["domain.contested"], ["domain.claim_contested"])
    assert "Bolt" not in DomainNotice.__str__(DomainNotice(domain=acme, event="x"))


def test_while_both_proofs_stand_the_holder_keeps_the_name(acme, contest):
    tasks.settle_proofs()

    assert fresh(acme).is_verified
    assert (fresh(contest).has_proof, fresh(contest).contested_at) == (False, None)
    assert told(contest)[-1] == "domain.claim_ended"
    assert told(acme)[-1] == "domain.contest_ended"


def test_where_only_the_new_proof_stands_the_name_goes_over_whole(world, acme, contest, publish):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    give_signing_key(acme.pk)
    publish(contest)

    tasks.settle_proofs()

    assert fresh(contest).is_verified
    assert not fresh(acme).has_proof
    assert fresh(anna).deleted_at is not None
    assert a_mailbox(world.as_bolt, "anna@acme.example").uid != anna.uid
    with every_tenant("a test looks"):
        assert set(DkimKey.objects.filter(domain=acme).values_list("private_key", flat=True)) == {""}
    assert told(acme)[-1] == "domain.taken_over"


def test_where_the_new_proof_is_gone_too_the_claim_ends(acme, contest, dns_server):
    dns_server.says_text(challenge_name("acme.example"), "nothing")

    tasks.settle_proofs()

    assert fresh(acme).is_verified
    assert fresh(contest).contested_at is None


def test_nobody_loses_a_name_while_dns_is_silent(acme, contest, dns_server):
    dns_server.fails(challenge_name("acme.example"))

    tasks.settle_proofs()

    assert fresh(acme).is_verified
    assert fresh(contest).contested_at is not None


def test_a_deleted_accounts_domains_rest_and_keep_nobody_elses_waiting(world, acme):
    bolt = verified_domain(world.as_bolt, "bolt.example")
    for domain in (acme, bolt):
        age(domain, proof_lapsed_at=timezone.now() - GRACE)
    delete_tenant(world.as_rita, tenant=world.acme)

    tasks.settle_proofs()

    assert (fresh(acme).has_proof, fresh(bolt).has_proof) == (True, False)


def test_a_deleted_accounts_claim_keeps_nobody_elses_waiting(world, acme, contest):
    bolt = age(verified_domain(world.as_bolt, "bolt.example"), proof_lapsed_at=timezone.now() - GRACE)
    claim = age(create_domain(world.as_rita, name="acme.example"), contested_at=timezone.now() - GRACE)
    delete_tenant(world.as_rita, tenant=world.bolt)

    tasks.settle_proofs()

    assert (fresh(contest).contested_at is None, fresh(claim).contested_at) == (False, None)
    assert fresh(bolt).has_proof


def test_neither_decision_comes_before_its_time(world, acme, publish):
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(claim)
    claim = age(claim, contested_at=timezone.now() - GRACE + timedelta(minutes=1))
    age(acme, proof_lapsed_at=timezone.now() - GRACE + timedelta(minutes=1))

    withdraw_proof(_system(acme), domain=acme, now=timezone.now())
    settle_claim(_system(claim), claim=claim, now=timezone.now())

    assert fresh(acme).is_verified
    assert not fresh(claim).has_proof


def test_a_notice_reaches_owners_and_admins_who_may_sign_in_once(world, acme):
    from accounts.models import User
    from accounts.operations import create_user
    from tenants.models import Role

    for role, name in ((Role.OWNER, "olga"), (Role.ADMIN, "adam"), (Role.ADMIN, "ida"), (Role.READ_ONLY, "rex")):
        create_user(
            _system(acme), tenant=world.acme, email=f"{name}@acme.example", role=role, password="Grün-Kaffee-17-Lampe"
        )
    User.objects.filter(email="ida@acme.example").update(is_active=False)
    note(acme, Proof.LACKING)
    job = Job.objects.get(task="domains.tasks.mail_notice")

    run(job.pk)
    tasks.mail_notice(**job.arguments)

    assert sorted(message.to[0] for message in mail.outbox) == ["adam@acme.example", "olga@acme.example"]
    assert mail.outbox[0].subject == "acme.example: the ownership record is gone"
    assert f"/domains/{acme.uid}/" in mail.outbox[0].body


def test_a_claim_whose_proof_a_check_has_seen_is_verified_without_a_button(world, publish):
    claim = create_domain(world.as_acme, name="new.example")
    publish(claim)

    note(claim, Proof.STANDS)
    run(Job.objects.get(task="domains.tasks.verify_domain").pk)

    assert fresh(claim).is_verified


def _system(domain: Domain):
    from accounts.actors import system_actor

    with every_tenant("a test acts as the clock"):
        return system_actor(Domain.objects.select_related("tenant").get(pk=domain.pk).tenant, "a test")
