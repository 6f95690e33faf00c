"""Sending as a signed-in user: under the own addresses, over TLS, signed, and without telling where one sits."""

import smtplib

import pytest

from mailboxes.operations import suspend_mailbox, update_mailbox
from tenants.operations import resume_tenant, suspend_tenant
from tests.mail.client import written


def refusal(act) -> tuple[int, str]:
    """Return code and enhanced status of what an SMTP session refused."""
    with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException)) as it:
        act()
    error = it.value
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    else:
        code, text = error.smtp_code, error.smtp_error
    return code, text.decode().split()[0]


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_mail_of_a_customer_arrives_signed_by_its_domain(post, acme, bolt, signed, service):
    anna, bob = acme.login("anna"), bolt.login("bob")
    signed(acme)

    sent = post.submit(anna, written(anna[0], bob[0]), service=service)
    message = post.arrived(bob, sent)

    assert f"d={acme.domain.domain_name};" in message["DKIM-Signature"].replace("\n", "").replace("\t", "")


def test_own_aliases_and_alias_domain_names_may_be_used_as_sender(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    acme.alias("sales", anna[0])
    second = acme.claim(f"second-{acme.domain.domain_name}", alias_of=acme.domain)

    for sender in (acme.address("sales"), f"anna@{second.domain_name}", f"sales@{second.domain_name}"):
        assert post.arrived(bob, post.submit(anna, written(sender, bob[0]), sender=sender))["DKIM-Signature"]


@pytest.mark.parametrize(
    "sender",
    [
        "colleague@{acme}",
        "all@{acme}",
        "info@{acme}",
        "bob@{bolt}",
        "nobody@{acme}",
        "someone@elsewhere.example",
        "anna@sub.{acme}",
        '"anna@{acme}"@{bolt}',
        "anna%{bolt}@{acme}",
        "postmaster",
    ],
)
def test_no_other_address_may_be_used_as_sender(post, acme, bolt, sender):
    """`all` is a catch-all's, `info` an alias of Bolt's mailbox, `colleague` a mailbox of the same customer."""
    anna, bob = acme.login("anna"), bolt.login("bob")
    acme.mailbox("colleague")
    acme.alias("*", anna[0])
    acme.alias("info", bob[0])
    sender = sender.format(acme=acme.domain.domain_name, bolt=bolt.domain.domain_name)

    code, _ = refusal(lambda: post.submit(anna, written(sender, bob[0]), bob[0], sender=sender))

    assert code in {501, 504, 553}


def test_an_alias_of_another_tenant_gives_its_target_no_right_to_send(post, acme, bolt):
    bob = bolt.login("bob")
    acme.alias("info", bob[0])
    sender = acme.address("info")

    assert refusal(lambda: post.submit(bob, written(sender, bob[0]), bob[0], sender=sender)) == (553, "5.7.1")


def test_the_null_sender_is_not_for_people(post, acme):
    anna = acme.login("anna")

    with post.submission(anna) as session:
        assert session.mail("")[0] in {250, 554}
        assert session.rcpt("someone@elsewhere.example")[0] in {503, 554}


def test_no_sign_in_without_tls(post):
    with smtplib.SMTP("127.0.0.1", post.stack.port("submission"), "laptop.example", 20) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        assert session.docmd("MAIL", "FROM:<anna@acme.example>")[0] == 530


def test_no_sign_in_on_port_25(post):
    with post.outside() as session:
        session.starttls(context=_any_name(post))
        session.ehlo()
        assert not session.has_extn("auth")


def _any_name(post):
    import ssl

    context = ssl.create_default_context(cafile=post.stack.info["tls"]["ca_file"])
    context.check_hostname = False
    return context


def test_submission_without_signing_in_is_refused(post, acme):
    anna = acme.login("anna")
    with post.submission() as session:
        session.ehlo()
        session.mail("someone@elsewhere.example")
        assert session.rcpt(anna[0])[0] in {530, 550, 553, 554}


def test_received_lines_do_not_tell_where_the_sender_sits(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")

    message = post.arrived(bob, post.submit(anna, written(anna[0], bob[0])))

    received = "\n".join(message.get_all("Received"))
    assert "ESMTPSA" in received
    assert "laptop.example" not in received
    assert "127.0.0.1" not in received


def test_a_switched_off_sender_keeps_reading_but_cannot_send(post, acme):
    anna = acme.mailbox("anna")
    update_mailbox(acme.actor, mailbox=anna, sends_enabled=False)
    login = (anna.email, "correct horse battery staple")

    with pytest.raises(smtplib.SMTPAuthenticationError):
        post.submission(login)
    assert post.inbox(login) == []


def test_a_suspended_mailbox_cannot_send(post, acme):
    anna = acme.mailbox("anna")
    suspend_mailbox(acme.actor, mailbox=anna)

    with pytest.raises(smtplib.SMTPAuthenticationError):
        post.submission((anna.email, "correct horse battery staple"))


def test_a_suspended_tenant_is_out_at_once_and_back_as_it_was(post, acme, operator):
    anna, bob = acme.login("anna"), acme.mailbox("bob")
    suspend_mailbox(acme.actor, mailbox=bob)

    suspend_tenant(operator, tenant=acme.tenant, reason="unpaid", note="The invoice of May is open.")
    assert post.answer_to(anna[0])[0] in {550, 554}
    with pytest.raises(smtplib.SMTPAuthenticationError):
        post.submission(anna)

    resume_tenant(operator, tenant=acme.tenant)
    assert post.arrived(anna, post.submit(anna, written(anna[0], anna[0])))
    assert post.answer_to(bob.email)[0] == 550


def test_mail_for_an_unknown_neighbour_is_refused_while_sending(post, acme):
    anna = acme.login("anna")
    nobody = acme.address("nobody")

    assert refusal(lambda: post.submit(anna, written(anna[0], nobody))) == (550, "5.1.1")


def test_a_claimed_name_without_proof_does_not_catch_mail_of_others(post, acme, bolt):
    """Bolt claims a bank's name; Acme's mail to the bank leaves for the outside all the same."""
    from domains.operations import create_domain

    anna = acme.login("anna")
    claimed = create_domain(bolt.actor, name=f"bank-{bolt.domain.domain_name}")
    ceo = f"ceo@{claimed.domain_name}"

    sent = post.submit(anna, written(anna[0], ceo))

    assert ceo in post.left_for_outside(sent)["X-Rcpt-Args"]
