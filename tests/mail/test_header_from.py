"""Whom a message's header From names, through the real Postfix, guard and OpenDKIM."""

import smtplib
import time
from email.message import Message
from email.utils import make_msgid

import pytest

from tests.mail.client import Post, written
from tests.mail.conftest import make_customer

HEADER = "Authentication-Results"


def raw(*lines: bytes) -> tuple[str, bytes]:
    """Return a Message-ID and a message of these header lines, whose line ends are as given within them."""
    message_id = make_msgid(domain="test.example")
    ends = [b"Message-ID: " + message_id.encode(), b"Date: Mon, 02 Nov 2026 09:00:00 +0000", b"Subject: A test"]
    ends += [b"", b"Hello.", b""]
    return message_id, b"\r\n".join([*lines, *ends])


def submit_raw(post: Post, login: tuple[str, str], recipient: str, message: bytes) -> tuple[int, str]:
    """Submit these bytes under the login's own envelope sender; return what the end of data is answered."""
    with post.submission(login) as session:
        session.mail(login[0])
        session.rcpt(recipient)
        try:
            code, text = session.data(message)
        except smtplib.SMTPDataError as refused:
            code, text = refused.smtp_code, refused.smtp_error
        return code, text.decode()


def signers(message: Message) -> list[str]:
    """Return the domains whose signatures the message bears."""
    tags = [tag.strip() for value in message.get_all("DKIM-Signature", []) for tag in value.split(";")]
    return [tag[2:] for tag in tags if tag.startswith("d=")]


def test_own_address_leaves_signed_by_its_domain_with_our_verdict(post, acme, bolt, signed):
    anna, bob = acme.login("anna"), bolt.login("bob")
    signed(acme)
    message_id, message = raw(b"From: Anna <%s>" % anna[0].upper().encode(), b"To: bob")

    answer = submit_raw(post, anna, bob[0], message)
    arrived = post.arrived(bob, message_id)

    assert answer[0] == 250
    assert signers(arrived) == [acme.domain.domain_name]
    assert arrived.get_all(HEADER) == [f"{post.hostname}; auth=pass"]


def test_stranger_in_the_header_is_refused_in_words(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    _, message = raw(b"From: The Boss <%s>" % bob[0].encode())

    code, text = submit_raw(post, anna, bob[0], message)

    assert (code, text) == (
        550,
        f"5.7.1 You are signed in as {anna[0]}, which may not send as {bob[0]}."
        " Choose an address of your own, or ask for an alias.",
    )


ATTACKS = {
    "two, the stranger first": [b"From: %(bob)s", b"From: %(anna)s"],
    "two, the stranger last": [b"From: %(anna)s", b"From: %(bob)s"],
    "two, one with a blank before the colon": [b"From: %(anna)s", b"From : %(bob)s"],
    "two, one with a tab before the colon": [b"From\t: %(bob)s", b"From: %(anna)s"],
    "a list": [b"From: %(anna)s, %(bob)s"],
    "a list, the stranger first": [b"From: %(bob)s, %(anna)s"],
    "a group": [b"From: Board: %(bob)s, %(anna)s;"],
    "a route": [b"From: <@%(acme)s:%(bob)s>"],
    "a comment": [b"From: (%(anna)s) %(bob)s"],
    "a comment in the address": [b"From: bob@(x)%(bolt)s"],
    "a name that is an address": [b'From: "%(bob)s" <%(anna)s>'],
    "an encoded word that is an address": [b"From: =?utf-8?q?bob=40%(bolt)s?= <%(anna)s>"],
    "folded": [b"From:\r\n %(bob)s"],
    "folded twice": [b"From: %(anna)s,\r\n\t%(bob)s"],
    "folded over a blank line": [b"From: %(anna)s\r\n \r\n , %(bob)s"],
    "a bare CR": [b"From: %(anna)s\rFrom: %(bob)s"],
    "a bare LF": [b"From: %(anna)s\nFrom: %(bob)s"],
    "a NUL": [b"From: %(anna)s\0, %(bob)s"],
    "a NUL in the name": [b"Fr\0om: %(bob)s", b"From: %(anna)s"],
    "odd bytes": [b"From: \xff\xfe <%(anna)s>"],
    "letter case": [b"fROM: %(BOB)s"],
    "a trailing dot": [b"From: %(bob)s."],
    "Sender": [b"From: %(anna)s", b"Sender: %(bob)s"],
    "Resent-From": [b"From: %(anna)s", b"Resent-From: %(bob)s"],
    "Resent-Sender": [b"From: %(anna)s", b"Resent-Sender: %(bob)s"],
    "none": [b"To: %(bob)s"],
    "empty": [b"From: "],
    "empty angle brackets": [b"From: <>"],
    "no domain": [b"From: anna"],
    "a mailbox file's first line": [b"From %(bob)s Fri Nov 20 00:00:00 2026", b"From: %(bob)s"],
}


def test_no_trick_gets_past(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    names = {b"anna": anna[0], b"bob": bob[0], b"BOB": bob[0].upper()}
    names |= {b"acme": acme.domain.domain_name, b"bolt": bolt.domain.domain_name}
    filling = {name: text.encode() for name, text in names.items()}

    answers = {
        trick: submit_raw(post, anna, bob[0], raw(*[line % filling for line in lines])[1])
        for trick, lines in ATTACKS.items()
    }

    assert {trick: answer for trick, answer in answers.items() if answer[0] not in (550, 554)} == {}


def test_what_follows_the_header_is_no_header(post, acme, bolt):
    """Postfix ends the header at a line that is none; what comes after must not be taken for one by the recipient."""
    anna, bob = acme.login("anna"), bolt.login("bob")
    message_id, message = raw(b"From: %s" % anna[0].encode())
    odd = message.replace(b"Subject: A test", b"no header at all\r\nFrom: %s" % bob[0].encode())

    code, _ = submit_raw(post, anna, bob[0], odd)
    arrived = post.arrived(bob, message_id)

    assert code == 250
    assert arrived.get_all("From") == [anna[0]]


def test_alias_and_alias_domain_may_stand_in_the_header(post, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    acme.alias("sales", anna[0])
    message_id, message = raw(b"From: Sales <%s>" % acme.address("sales").encode())

    code, _ = submit_raw(post, anna, bob[0], message)

    assert code == 250
    assert post.arrived(bob, message_id)["From"] == f"Sales <{acme.address('sales')}>"


def test_verdicts_from_outside_that_bear_our_name_are_taken_out(post, acme):
    anna = acme.login("anna")
    message = written("someone@elsewhere.example", anna[0])
    message[HEADER] = "mx.elsewhere.example; dkim=pass"
    message[HEADER] = f"(x) {post.hostname.upper()} 1; dkim=pass header.d=bank.example"
    message[HEADER] = f"{post.hostname}; auth=pass"

    with post.outside() as session:
        session.sendmail("someone@elsewhere.example", [anna[0]], message.as_bytes())
    arrived = post.arrived(anna, message["Message-ID"])

    assert arrived.get_all(HEADER) == ["mx.elsewhere.example; dkim=pass"]


def test_mail_from_outside_is_never_signed_whatever_its_from_says(post, acme, signed):
    anna = acme.login("anna")
    signed(acme)
    message = written(anna[0], anna[0])

    with post.outside() as session:
        session.sendmail(anna[0], [anna[0]], message.as_bytes())

    assert signers(post.arrived(anna, message["Message-ID"])) == []


def test_reports_of_delivery_bear_no_signature(post, acme, bolt, signed):
    anna, bob = acme.login("anna"), bolt.login("bob")
    signed(acme)
    _, message = raw(b"From: %s" % anna[0].encode(), b"To: %s" % bob[0].encode())

    with post.submission(anna) as session:
        session.sendmail(anna[0], [bob[0]], message, rcpt_options=["NOTIFY=SUCCESS"])
    deadline = time.monotonic() + 20
    while not (reports := [report for report in post.inbox(anna) if report["Return-Path"] == "<>"]):
        assert time.monotonic() < deadline, "no report of the delivery came"
        time.sleep(0.1)

    assert [signers(report) for report in reports] == [[]]


def test_without_the_guard_submission_waits_and_mail_comes_in(private_stack, settings):
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{private_stack.port('dns')}"]
    acme = make_customer(private_stack, "acme")
    post, anna = Post(private_stack), acme.login("anna")
    private_stack.stop("guard")

    with pytest.raises(smtplib.SMTPResponseException) as put_off:
        post.submission(anna)
    inbound = post.deliver(anna[0])

    assert put_off.value.smtp_code // 100 == 4
    assert post.arrived(anna, inbound)
    private_stack.start("guard")
    assert submit_raw(post, anna, anna[0], raw(b"From: %s" % anna[0].encode())[1])[0] == 250
