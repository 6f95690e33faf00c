"""What is refused, with which reply: the sender learns at once, and nothing is bounced later."""

import smtplib
import socket

import pytest

from domains.operations import create_domain, delete_domain, set_domain_enabled
from mailboxes.denial_operations import deny_address
from mailboxes.operations import delete_mailbox, restore_mailbox, suspend_mailbox
from tests.mail.client import written
from tests.mail.conftest import PASSWORD


def reply(answer: tuple[int, str]) -> tuple[int, str]:
    return answer[0], answer[1].split()[0]


def reply_of(answer: tuple[int, bytes]) -> tuple[int, str]:
    return reply((answer[0], answer[1].decode()))


def test_unknown_recipient(post, acme):
    assert reply(post.answer_to(acme.address("nobody"))) == (550, "5.1.1")


def test_domain_without_proof(post, acme):
    claimed = create_domain(acme.actor, name=f"unproven-{acme.domain.domain_name}")

    assert reply(post.answer_to(f"anna@{claimed.domain_name}")) == (554, "5.7.1")


def test_deleted_domain(post, acme):
    acme.mailbox("anna")
    delete_domain(acme.actor, domain=acme.domain)

    assert reply(post.answer_to(acme.address("anna"))) == (554, "5.7.1")


def test_domain_that_is_switched_off(post, acme):
    anna = acme.mailbox("anna")
    set_domain_enabled(acme.actor, domain=acme.domain, enabled=False)

    assert post.answer_to(anna.email)[0] in (550, 554)


def test_suspended_mailbox(post, acme):
    anna = acme.mailbox("anna")
    suspend_mailbox(acme.actor, mailbox=anna)

    assert reply(post.answer_to(anna.email)) == (550, "5.2.1")


def test_suspended_mailbox_in_an_alias_domain(post, acme):
    anna = acme.mailbox("anna")
    other = acme.claim(f"alias-of-{acme.domain.domain_name}", alias_of=acme.domain)
    suspend_mailbox(acme.actor, mailbox=anna)

    assert reply(post.answer_to(f"anna@{other.domain_name}")) == (550, "5.2.1")


def test_deleted_mailbox(post, acme):
    anna = acme.mailbox("anna")
    delete_mailbox(acme.actor, mailbox=anna)

    assert reply(post.answer_to(anna.email)) == (550, "5.1.1")


def test_address_that_the_catch_all_does_not_take(post, acme):
    anna = acme.login("anna")
    acme.alias("*", anna[0])
    other = acme.claim(f"second-{acme.domain.domain_name}", alias_of=acme.domain)
    deny_address(acme.actor, domain=acme.domain, address="spam")

    assert reply(post.answer_to(acme.address("spam"))) == (550, "5.1.1")
    assert reply(post.answer_to(acme.address("spam+news"))) == (550, "5.1.1")
    assert reply(post.answer_to(f"spam@{other.domain_name}")) == (550, "5.1.1")
    post.arrived(anna, post.deliver(acme.address("anything")))


def test_an_alias_whose_only_target_is_suspended(post, acme):
    anna = acme.mailbox("anna")
    acme.alias("sales", anna.email)
    suspend_mailbox(acme.actor, mailbox=anna)

    assert post.answer_to(acme.address("sales"))[0] == 550


@pytest.mark.parametrize(
    "recipient",
    [
        "someone@elsewhere.example",
        "user%elsewhere.example@{ours}",
        "elsewhere.example!user@{ours}",
        "@{ours}:user@elsewhere.example",
        '"user@elsewhere.example"@{ours}',
        "user@elsewhere.example@{ours}",
        "user%elsewhere.example@localhost",
        "user%elsewhere.example@[127.0.0.1]",
        "user%elsewhere.example",
        "someone@elsewhere.example.",
        "root@localhost",
        "root@[127.0.0.1]",
        "postmaster@localhost",
    ],
)
def test_relaying_without_signing_in(post, acme, recipient):
    code, _ = post.answer_to(recipient.format(ours=acme.domain.domain_name))

    assert code in {501, 504, 550, 553, 554}


def test_full_mailbox_is_refused_before_the_message_is_sent(post, acme):
    full = acme.mailbox("full", quota_mb=1)
    login = (full.email, PASSWORD)

    sent = post.deliver(full.email, body="x" * 76 * 13_000)
    post.arrived(login, sent)
    more = post.deliver(full.email, body="x" * 76 * 2_000, announce_size=False)

    assert reply(post.answer_to(full.email, size=200_000)) == (552, "5.2.2")
    # Accepted without a size, so it is delivered and not bounced; from now on the mailbox is over its quota.
    assert post.arrived(login, more)
    assert reply(post.answer_to(full.email)) == (552, "5.2.2")


@pytest.fixture
def full(post, acme):
    """A mailbox that holds what it may hold."""
    mailbox = acme.mailbox("full", quota_mb=1)
    for size in (13_000, 2_000):
        sent = post.deliver(mailbox.email, body="x" * 76 * size, announce_size=False)
        post.arrived((mailbox.email, PASSWORD), sent)
    return mailbox


def test_alias_of_a_full_mailbox_is_full(post, acme, full):
    acme.alias("sales", full.email)
    acme.alias("shop", acme.address("sales"))

    assert reply(post.answer_to(acme.address("sales"))) == (552, "5.2.2")
    assert reply(post.answer_to(acme.address("shop"))) == (552, "5.2.2")


def test_catch_all_that_leads_to_a_full_mailbox_is_full(post, acme, full):
    acme.alias("*", full.email)

    assert reply(post.answer_to(acme.address("whoever"))) == (552, "5.2.2")


def test_catch_all_of_a_deleted_mailbox_refuses_until_that_is_restored(post, acme):
    anna = acme.mailbox("anna")
    acme.alias("*", anna.email)
    acme.alias("news", acme.address("whoever+list"))
    names = [acme.address(name) for name in ("nobody", "news", "anna")]

    before = [reply(post.answer_to(name))[0] for name in names]
    delete_mailbox(acme.actor, mailbox=anna)
    meanwhile = [reply(post.answer_to(name)) for name in names]
    restore_mailbox(acme.actor, mailbox=anna)
    sent = [post.deliver(name) for name in names]

    assert before == [250, 250, 250]
    assert meanwhile == [(550, "5.1.1")] * 3
    for message_id in sent:
        assert post.arrived((anna.email, PASSWORD), message_id)


def test_full_mailbox_is_full_under_its_detail_and_in_its_alias_domains(post, acme, full):
    other = acme.claim(f"alias-of-{acme.domain.domain_name}", alias_of=acme.domain)
    acme.alias("sales", full.email)

    assert reply(post.answer_to(acme.address("full+news"))) == (552, "5.2.2")
    assert reply(post.answer_to(f"full@{other.domain_name}")) == (552, "5.2.2")
    assert reply(post.answer_to(f"sales@{other.domain_name}")) == (552, "5.2.2")


def test_customer_of_ours_learns_of_a_full_mailbox_at_once_too(post, acme, bolt, full):
    acme.alias("sales", full.email)

    with post.submission(bolt.login("ben")) as session:
        session.mail(bolt.address("ben"))
        assert reply_of(session.rcpt(full.email)) == (552, "5.2.2")
        assert reply_of(session.rcpt(acme.address("sales"))) == (552, "5.2.2")
        assert session.rcpt("someone@elsewhere.example")[0] == 250


def test_alias_with_another_target_takes_mail_for_that_one(post, acme, full):
    anna = acme.mailbox("anna")
    acme.alias("team", full.email, anna.email)
    acme.alias("outside", full.email, "someone@elsewhere.example")

    sent = post.deliver(acme.address("team"))

    assert post.arrived((anna.email, PASSWORD), sent)
    assert post.answer_to(acme.address("outside"))[0] == 250


def test_vrfy_tells_nothing(post, acme):
    with post.outside() as session:
        assert session.docmd("VRFY", acme.mailbox("anna").email)[0] == 502


def test_helo_is_required(post):
    with smtplib.SMTP("127.0.0.1", post.stack.port("smtp"), timeout=10) as session:
        assert session.docmd("MAIL", "FROM:<someone@elsewhere.example>")[0] == 503


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r\n\x00.\r\n"],
    ids=lambda end: ascii(end.decode()),
)
def test_a_message_smuggled_behind_another_is_not_taken_for_one(post, acme, end):
    anna = acme.login("anna")
    first, second = written("a@elsewhere.example", anna[0]), written("ceo@bank.example", anna[0])
    smuggled = (
        (b"MAIL FROM:<ceo@bank.example>\r\nRCPT TO:<" + anna[0].encode() + b">\r\nDATA\r\n" + second.as_bytes())
        .replace(b"\n", b"\r\n")
        .replace(b"\r\r\n", b"\r\n")
    )

    raw = first.as_bytes().replace(b"\n", b"\r\n") + b"One" + end + smuggled + b"\r\n.\r\n"
    accepted = smuggle(post, anna[0], raw)

    assert accepted == 1
    post.arrived(anna, first["Message-ID"])
    assert [message["Message-ID"] for message in post.inbox(anna)] == [first["Message-ID"]]


def smuggle(post, recipient: str, data: bytes) -> int:
    """Send raw bytes after DATA; return how many messages the server said it took."""
    with socket.create_connection(
        ("127.0.0.1", post.stack.port("smtp")), 20, source_address=("127.0.0.9", 0)
    ) as connection:
        stream = connection.makefile("rwb")
        assert _answer(stream).startswith(b"220")
        for command, code in (
            (b"EHLO mx.elsewhere.example", b"250"),
            (b"MAIL FROM:<a@elsewhere.example>", b"250"),
            (b"RCPT TO:<" + recipient.encode() + b">", b"250"),
            (b"DATA", b"354"),
        ):
            stream.write(command + b"\r\n")
            stream.flush()
            assert _answer(stream).startswith(code)
        stream.write(data)
        stream.flush()
        accepted = int(b"queued as" in _answer(stream))
        # Whatever the server reads as commands behind the message is answered before QUIT is.
        stream.write(b"QUIT\r\n")
        stream.flush()
        return accepted + sum(b"queued as" in line for line in stream)


def _answer(stream) -> bytes:
    line = stream.readline()
    while line[3:4] == b"-":
        line = stream.readline()
    return line
