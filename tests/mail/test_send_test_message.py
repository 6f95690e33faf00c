"""The panel's test message: sent by Postfix for real, found where Dovecot has put it."""

import time

import pytest

from longwork.models import LongWork, State
from mailboxes import trial_operations
from mailboxes.batch_operations import suspend_mailboxes
from mailboxes.trial_operations import send_test_message
from mailhost.errors import Refused
from mailhost.scope import every_tenant

PATIENCE_SECONDS = 40


def ended(work: LongWork) -> LongWork:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with every_tenant("a test waits for a worker"):
        while not work.is_finished:
            assert time.monotonic() < deadline, f"{work} is {work.state}, step {work.done}"
            time.sleep(0.1)
            work.refresh_from_db()
    return work


def test_it_comes_and_its_work_says_when(acme, post):
    login = acme.login("anna")
    with every_tenant("a test names a row"):
        mailbox = acme.domain.mailboxes.get(email=login[0])

    work = ended(send_test_message(acme.actor, mailbox=mailbox)[1])

    assert (work.state, work.result["address"], work.result["is_taken"]) == (State.SUCCEEDED, login[0], True)
    assert work.result["sent_at"] < work.result["arrived_at"]
    (message,) = post.inbox(login)
    assert message["Subject"] == "Mail arrives here"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_filter_that_files_it_elsewhere_hides_it_from_nobody(acme, filters):
    mailbox = acme.mailbox("ben")
    filters(mailbox.email, 'require ["fileinto", "mailbox"];\nfileinto :create "News";')

    work = ended(send_test_message(acme.actor, mailbox=mailbox)[1])

    assert work.result["sent_at"] < work.result["arrived_at"]


def test_what_takes_no_mail_gets_none_and_nobody_sends_without_end(acme, monkeypatch):
    mailbox, other = acme.mailbox("carla"), acme.mailbox("dora")
    suspend_mailboxes(acme.actor, mailboxes=[mailbox])

    with pytest.raises(Refused) as refused:
        send_test_message(acme.actor, mailbox=mailbox)
    assert (refused.value.code, refused.value.field) == ("not_receiving", "mailbox")

    monkeypatch.setattr(trial_operations, "MOST_AN_HOUR", 1)
    send_test_message(acme.actor, mailbox=other)
    with pytest.raises(Refused) as refused:
        send_test_message(acme.actor, mailbox=other)
    assert refused.value.code == "too_many_tests"
