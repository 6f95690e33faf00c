import pytest
from django.utils import timezone

from dns.records import challenge_name, challenge_value
from domains.models import Domain
from domains.operations import create_domain, delete_domain, verify_domain
from domains.proof_operations import give_consent, renew_challenge
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.world import a_mailbox, an_alias, fresh, routes, verified_domain


@pytest.fixture
def publish(dns_server):
    def publish_all(*domains) -> None:
        name = challenge_name(domains[0].domain_name)
        dns_server.says_text(name, *[challenge_value(domain.challenge) for domain in domains])

    return publish_all


def test_proof_opens_the_domain_and_asks_for_its_key(world, publish):
    domain = create_domain(world.as_acme, name="acme.example")
    publish(domain)

    domain = verify_domain(world.as_acme, domain=domain)

    assert (domain.has_proof, domain.is_verified, domain.is_active) == (True, True, True)
    tasks = list(Job.objects.filter(arguments={"domain_id": domain.pk}).values_list("task", flat=True).order_by("pk"))
    assert tasks == ["dns.tasks.refresh_records", "dns.tasks.make_key", "dns.tasks.refresh_records"]


def test_without_the_record_nothing_changes(world, dns_server):
    domain = create_domain(world.as_acme, name="acme.example")

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=domain)

    assert refused.value.code == "no_proof"
    assert not fresh(domain).has_proof


def test_the_record_of_another_claim_proves_nothing(world, publish):
    acme = create_domain(world.as_acme, name="acme.example")
    bolt = create_domain(world.as_bolt, name="acme.example")
    publish(acme)

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_bolt, domain=bolt)

    assert refused.value.code == "no_proof"


def test_a_silent_dns_is_no_missing_record(world, dns_server):
    domain = create_domain(world.as_acme, name="acme.example")
    dns_server.fails(challenge_name("acme.example"))

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=domain)

    assert refused.value.code == "dns_unavailable"


def test_the_first_proof_wins(world, publish):
    bolt = create_domain(world.as_bolt, name="acme.example")
    acme = create_domain(world.as_acme, name="acme.example")
    publish(acme, bolt)
    verify_domain(world.as_acme, domain=acme)

    bolt = verify_domain(world.as_bolt, domain=bolt)

    assert fresh(acme).is_verified
    assert not bolt.has_proof
    assert bolt.contested_at is not None


def test_any_number_may_claim_and_squatting_blocks_nobody(world, publish):
    for actor in (world.as_bolt, world.as_rita, world.as_operator):
        create_domain(actor, name="acme.example")
    acme = create_domain(world.as_acme, name="acme.example")
    publish(acme)

    assert verify_domain(world.as_acme, domain=acme).is_verified


def test_a_token_that_is_too_old_proves_nothing_until_it_is_renewed(world, publish):
    domain = create_domain(world.as_acme, name="acme.example")
    publish(domain)
    with every_tenant("a test lets time pass"):
        Domain.objects.filter(pk=domain.pk).update(challenge_expires_at=timezone.now())

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=domain)
    renewed = renew_challenge(world.as_acme, domain=domain)
    with pytest.raises(Refused) as still:
        verify_domain(world.as_acme, domain=renewed)
    publish(renewed)
    verified = verify_domain(world.as_acme, domain=renewed)

    assert (refused.value.code, still.value.code) == ("challenge_expired", "no_proof")
    assert renewed.challenge != domain.challenge
    assert verified.has_proof


def test_proof_at_the_end_of_an_alias_is_none(world, dns_server):
    domain = create_domain(world.as_acme, name="acme.example")
    dns_server.says(challenge_name("acme.example"), "CNAME", "hosting.example")
    dns_server.says_text("hosting.example", challenge_value(domain.challenge))

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=domain)

    assert refused.value.code == "no_proof"
    assert "alias (CNAME)" in refused.value.message


def test_one_token_among_three_hundred_texts_is_found(world, dns_server):
    domain = create_domain(world.as_acme, name="acme.example")
    noise = [f"mailhost-verification={number:040x}" for number in range(90)]
    dns_server.says_text(challenge_name("acme.example"), *noise, challenge_value(domain.challenge))

    assert verify_domain(world.as_acme, domain=domain).has_proof


@pytest.mark.parametrize(
    ("theirs", "ours"), [("acme.example", "mail.acme.example"), ("mail.acme.example", "acme.example")]
)
def test_a_name_above_or_below_a_strangers_needs_the_owners_consent(world, publish, theirs, ours):
    owned = verified_domain(world.as_acme, theirs)
    claim = create_domain(world.as_bolt, name=ours)
    publish(claim)

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_bolt, domain=claim)
    give_consent(world.as_acme, domain=owned, name=ours)

    assert refused.value.code == "needs_consent"
    assert verify_domain(world.as_bolt, domain=claim).has_proof


def test_an_operator_may_ask_for_no_consent(world, publish, settings):
    settings.MAILHOST_CONSENT = ["above"]
    verified_domain(world.as_acme, "mail.acme.example")
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(claim)

    assert verify_domain(world.as_bolt, domain=claim).has_proof


def test_ones_own_names_above_and_below_need_no_consent(world, publish):
    verified_domain(world.as_acme, "acme.example")
    claim = create_domain(world.as_acme, name="mail.acme.example")
    publish(claim)

    assert verify_domain(world.as_acme, domain=claim).has_proof


def test_consent_is_for_names_above_and_below_only(world):
    owned = verified_domain(world.as_acme, "acme.example")

    with pytest.raises(Refused) as refused:
        give_consent(world.as_acme, domain=owned, name="bolt.example")

    assert (refused.value.code, refused.value.field) == ("unrelated_name", "name")


def test_one_without_proof_is_not_told_that_the_name_is_taken(world, dns_server):
    verified_domain(world.as_acme, "acme.example")
    answers = set()
    for name in ("acme.example", "free.example"):
        domain = create_domain(world.as_bolt, name=name)
        with pytest.raises(Refused) as refused:
            verify_domain(world.as_bolt, domain=domain)
        answers.add((refused.value.code, refused.value.message.replace(name, "NAME")))

    assert len(answers) == 1


def test_a_name_given_up_can_be_proven_by_the_next(world, publish):
    former = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    claim = create_domain(world.as_bolt, name="acme.example")
    publish(claim)
    delete_domain(world.as_acme, domain=former)

    verify_domain(world.as_bolt, domain=claim)
    a_mailbox(world.as_bolt, "anna@acme.example")

    assert routes("sales@acme.example") == []
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_verifying_twice_is_refused(world):
    domain = verified_domain(world.as_acme, "acme.example")

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=domain)

    assert refused.value.code == "already_verified"


def test_a_stranger_finds_no_domain(world):
    domain = create_domain(world.as_acme, name="acme.example")

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_bolt, domain=domain)

    assert refused.value.code == "not_found"


def test_an_alias_domain_answers_once_it_is_proven(world, publish):
    main = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    alias = create_domain(world.as_acme, name="acme-shop.example", alias_of=main)
    before = routes("anna@acme-shop.example")
    publish(alias)

    verify_domain(world.as_acme, domain=alias)

    assert before == []
    assert routes("anna@acme-shop.example") == ["anna@acme.example"]


def test_an_alias_domain_that_would_close_a_circle_is_refused(world, publish):
    main = verified_domain(world.as_acme, "acme.example")
    an_alias(world.as_acme, "sales@acme.example", "sales@acme-shop.example")
    alias = create_domain(world.as_acme, name="acme-shop.example", alias_of=main)
    publish(alias)

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=alias)

    assert refused.value.code == "alias_loop"
    assert not fresh(alias).has_proof


def test_a_circle_through_a_forwarding_mailbox_is_found_too(world, publish):
    main = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "anna@acme.example", "sales@acme-shop.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    alias = create_domain(world.as_acme, name="acme-shop.example", alias_of=main)
    publish(alias)

    with pytest.raises(Refused) as refused:
        verify_domain(world.as_acme, domain=alias)

    assert refused.value.code == "alias_loop"
