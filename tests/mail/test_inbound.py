"""Mail from outside reaches whom it is for, and nobody else."""

import poplib

import pytest


def test_a_mailbox_gets_its_mail_and_reads_it_by_imap_and_pop3(post, acme):
    anna = acme.login("anna")

    sent = post.deliver(anna[0], body="See you at noon.\n")

    assert post.arrived(anna, sent).get_content().strip() == "See you at noon."
    session = post.pop3(anna)
    assert session.stat()[0] == 1
    assert any(sent.encode() in line for line in session.retr(1)[1])
    session.quit()


@pytest.mark.parametrize("spell", [str.upper, str.title, lambda address: address.replace("anna", "aNNa")])
def test_letter_case_of_an_address_does_not_matter(post, acme, spell):
    anna = acme.login("anna")

    sent = post.deliver(spell(anna[0]))

    assert post.arrived(anna, sent)


def test_a_detail_after_plus_reaches_the_mailbox_and_is_kept(post, acme):
    anna = acme.login("anna")

    sent = post.deliver(acme.address("anna+shop"))

    assert post.arrived(anna, sent)["Delivered-To"] == acme.address("anna+shop")


def test_an_alias_reaches_all_its_targets_here_and_outside(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    acme.alias("team", anna[0], bob[0], "partner@elsewhere.example")

    sent = post.deliver(acme.address("team"))

    assert post.arrived(anna, sent)
    assert post.arrived(bob, sent)
    assert "partner@elsewhere.example" in post.left_for_outside(sent)["X-Rcpt-Args"]


def test_an_alias_with_a_detail_reaches_its_target(post, acme):
    anna = acme.login("anna")
    acme.alias("sales", anna[0])

    sent = post.deliver(acme.address("sales+spring"))

    assert post.arrived(anna, sent)


def test_a_catch_all_takes_what_nobody_else_has(post, acme):
    anna, bob = acme.login("anna"), acme.login("bob")
    acme.alias("*", anna[0])

    for_nobody = post.deliver(acme.address("no-such-name"))
    for_bob = post.deliver(bob[0])

    assert post.arrived(anna, for_nobody)
    assert post.arrived(bob, for_bob)
    assert [message["Message-ID"] for message in post.inbox(anna)] == [for_nobody]


def test_a_catch_all_does_not_take_mail_of_a_suspended_mailbox(post, acme):
    from mailboxes.operations import suspend_mailbox

    anna, bob = acme.login("anna"), acme.mailbox("bob")
    acme.alias("*", anna[0])
    suspend_mailbox(acme.actor, mailbox=bob)

    code, text = post.answer_to(bob.email)

    assert (code, text[:5]) == (550, "5.2.1")


def test_a_mailbox_that_forwards_keeps_its_mail_and_passes_it_on(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    acme.alias("anna", bob[0])

    sent = post.deliver(anna[0])

    assert post.arrived(anna, sent)
    assert post.arrived(bob, sent)


def test_an_alias_domain_is_the_same_people_under_another_name(post, acme):
    anna = acme.login("anna")
    second = acme.claim(f"second-{acme.domain.domain_name}", alias_of=acme.domain)
    carla = acme.login("carla")

    before = post.deliver(f"anna@{second.domain_name}")
    after = post.deliver(f"carla@{second.domain_name}")

    assert post.arrived(anna, before)
    assert post.arrived(carla, after)
    assert post.answer_to(f"nobody@{second.domain_name}")[0] == 550


def test_one_message_for_two_names_of_a_person_arrives_once(post, acme):
    anna = acme.login("anna")
    acme.alias("sales", anna[0])

    sent = post.deliver(anna[0], acme.address("sales"))

    post.arrived(anna, sent)
    assert [message["Message-ID"] for message in post.inbox(anna)].count(sent) == 1


def test_a_wrong_password_opens_nothing(post, acme):
    anna = acme.login("anna")

    with pytest.raises(poplib.error_proto):
        post.pop3((anna[0], "wrong password entirely"))
