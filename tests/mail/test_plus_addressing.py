"""A domain without plus addressing refuses user+detail@ at RCPT, and nothing else."""

import pytest

from domains.operations import update_domain
from mailboxes.explain import explain_sender
from mailboxes.models import Alias
from mailhost.scope import every_tenant, tenant_scope
from tests.mail.client import written


@pytest.fixture
def strict(acme):
    """Acme, whose domain takes no details."""
    acme.domain = update_domain(acme.actor, domain=acme.domain, plus_addressing=False)
    return acme


def replies(post, *addresses: str) -> list[str]:
    found = []
    with post.outside() as session:
        for address in addresses:
            session.mail("someone@elsewhere.example")
            code, text = session.rcpt(address)
            found.append(f"{code} {text.decode().split()[0]}")
            session.rset()
    return found


def test_a_detail_is_refused_as_an_address_that_nobody_has(post, strict):
    anna = strict.mailbox("anna")
    strict.alias("sales", anna.email)
    strict.alias("*", anna.email)
    asked = ["anna", "anna+news", "sales", "sales+news", "nobody", "nobody+news", "Anna+News", "+news"]

    answered = replies(post, *map(strict.address, asked))

    taken, refused = "250 2.1.5", "550 5.1.1"
    # Not even a catch-all takes it: cleanup(8) would hand it to anna. What begins with the + has no detail.
    assert answered == [taken, refused, taken, refused, taken, refused, refused, taken]


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_who_is_signed_in_is_told_the_same(post, strict, bolt, service):
    bob = bolt.login("bob")
    anna = strict.mailbox("anna")

    with post.submission(bob, service=service) as session:
        session.mail(bob[0])
        answers = [
            session.rcpt(address)
            for address in (
                anna.email,
                strict.address("anna+news"),
                bolt.address("bob+news"),
                "someone+news@elsewhere.example",
            )
        ]

    assert [code for code, _ in answers] == [250, 550, 250, 250]
    assert answers[1][1].startswith(b"5.1.1 ")


def test_it_acts_at_once_both_ways(post, acme):
    anna = acme.login("anna")
    detailed = acme.address("anna+news")

    before = replies(post, detailed)
    update_domain(acme.actor, domain=acme.domain, plus_addressing=False)
    off = replies(post, detailed)
    update_domain(acme.actor, domain=acme.domain, plus_addressing=True)

    assert (before, off) == (["250 2.1.5"], ["550 5.1.1"])
    assert post.arrived(anna, post.deliver(detailed))


def test_an_address_of_exactly_this_name_gets_its_mail(post, strict):
    strict.mailbox("anna")
    bob = strict.login("bob")
    with every_tenant("a test writes a row that the panel does not make"):
        Alias.objects.create(
            domain=strict.domain,
            alias_email=strict.address("anna+news"),
            destination_email=bob[0],
            is_routed=True,
            is_active=True,
        )

    assert replies(post, strict.address("anna+other")) == ["550 5.1.1"]
    assert post.arrived(bob, post.deliver(strict.address("anna+news")))


def test_an_alias_that_names_a_detail_leads_there_still(post, strict, bolt):
    anna = strict.login("anna")
    bolt.alias("partner", strict.address("anna+bolt"))

    sent = post.deliver(bolt.address("partner"))

    assert post.arrived(anna, sent)["Delivered-To"] == strict.address("anna+bolt")


def test_a_detail_in_the_sender_stays_the_own_address(post, strict):
    anna = strict.login("anna")
    tagged = strict.address("anna+news")

    sent = post.submit(anna, written(tagged, "someone@elsewhere.example"), sender=tagged)
    with tenant_scope(strict.tenant.path):
        told = explain_sender(tagged, anna[0])

    assert post.left_for_outside(sent)["From"] == tagged
    assert told.outcome == "accepted"
