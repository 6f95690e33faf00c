"""What Sieve sends: unsigned by rule, from mailboxes that may send, and from nobody else on the machine."""

import subprocess
import time

import pytest

from mailboxes.operations import update_mailbox
from tests.mail.client import written
from tests.mail.conftest import PASSWORD

FRIEND = "friend@elsewhere.example"


VACATION = 'require "vacation";\nvacation :subject "Away %s" "Back on Monday.";\n'


def deliver(post, recipient: str) -> str:
    """Bring a message that is written to somebody in person, so that it is worth a reply."""
    message = written(FRIEND, recipient)
    with post.outside() as session:
        session.sendmail(FRIEND, [recipient], message.as_bytes())
    return message["Message-ID"]


def left(post, words: str) -> list[str]:
    return [
        text
        for file in (post.stack.home / "outside").iterdir()
        if words in (text := file.read_text("utf-8", "replace"))
    ]


def test_a_vacation_reply_leaves_for_the_null_sender_and_unsigned(post, acme, filters):
    anna = acme.login("anna")
    filters(anna[0], VACATION % acme.domain)

    post.arrived(anna, deliver(post, anna[0]))

    reply = post.left_for_outside(f"Away {acme.domain}")
    assert reply["X-Mail-Args"].split()[0] == "<>"
    assert FRIEND in reply["X-Rcpt-Args"]
    assert reply["DKIM-Signature"] is None


def test_a_redirect_leaves_without_a_signature_of_ours(post, acme, filters):
    anna = acme.login("anna")
    filters(anna[0], 'redirect :copy "second@elsewhere.example";\n'.replace("redirect", 'require "copy";\nredirect'))

    sent = deliver(post, anna[0])

    redirected = post.left_for_outside(sent)
    assert "second@elsewhere.example" in redirected["X-Rcpt-Args"]
    assert redirected["DKIM-Signature"] is None


@pytest.mark.parametrize(
    "script",
    [
        'redirect "second@elsewhere.example";\n',
        'require "vacation";\nvacation :subject "Never" "Away.";\n',
        'require ["reject"];\nreject "Go away.";\n',
        'require "enotify";\nnotify :message "hello" "mailto:second@elsewhere.example";\n',
    ],
    ids=["redirect", "vacation", "reject", "notify"],
)
def test_a_mailbox_that_may_not_send_sends_nothing_by_sieve_and_keeps_its_mail(post, acme, filters, script):
    anna = acme.mailbox("anna")
    if "notify" not in script:
        # While it may send, the script is good, and compiled.
        filters(anna.email, script)
    update_mailbox(acme.actor, mailbox=anna, sends_enabled=False)
    if "notify" in script:
        with pytest.raises(subprocess.CalledProcessError):
            filters(anna.email, script)

    sent = deliver(post, anna.email)

    assert post.arrived((anna.email, PASSWORD), sent)
    time.sleep(1)
    assert [text for text in left(post, acme.domain.domain_name) if "X-Sieve" in text or sent in text] == []


def test_no_other_program_of_the_machine_may_send_there(post, acme):
    connect = f"import socket; print(socket.create_connection(('127.0.0.1', {post.stack.port('reinject')})).recv(999))"
    greeted = subprocess.run(
        ["/usr/bin/python3", "-c", connect],
        user="nobody",
        cwd="/",
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert greeted.stdout.startswith("b'550 ")
    assert "Only the mail store" in greeted.stdout


def test_a_delivery_report_of_ours_has_the_null_sender_and_no_signature(post, acme):
    anna = acme.login("anna")
    message = written(anna[0], anna[0])
    with post.submission(anna) as session:
        session.ehlo()
        session.mail(anna[0])
        session.rcpt(anna[0], ["NOTIFY=SUCCESS"])
        session.data(message.as_bytes())

    deadline = time.monotonic() + 20
    while not (reports := [one for one in post.inbox(anna) if one.get_content_type() == "multipart/report"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert reports[0]["Return-Path"] == "<>"
    assert reports[0]["DKIM-Signature"] is None
