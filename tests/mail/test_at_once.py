"""What the panel changes acts on the next command of a new connection, and soon on an open session."""

import imaplib
import smtplib
import time

import pytest

from domains.operations import delete_domain, set_domain_enabled
from mailboxes.models import Mailbox
from mailboxes.operations import (
    change_password,
    create_mailbox,
    delete_mailbox,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
)
from mailhost.scope import every_tenant
from tenants.operations import suspend_tenant
from tests.mail.conftest import PASSWORD

NEW = "another long passphrase"


def signs_in(post, login) -> bool:
    try:
        post.imap(login).logout()
    except imaplib.IMAP4.error as error:
        if "AUTHENTICATIONFAILED" not in str(error):
            raise
        return False
    try:
        post.submission(login).quit()
    except smtplib.SMTPAuthenticationError as error:
        pytest.fail(f"IMAP lets {login[0]} in, submission does not: {error}")
    return True


def test_a_changed_password_acts_at_once(post, acme):
    anna = acme.mailbox("anna")
    assert signs_in(post, (anna.email, PASSWORD))

    change_password(acme.actor, mailbox=anna, password=NEW)

    assert not signs_in(post, (anna.email, PASSWORD))
    assert signs_in(post, (anna.email, NEW))


def test_a_suspension_acts_at_once_and_resuming_too(post, acme):
    anna = acme.mailbox("anna")
    login = (anna.email, PASSWORD)
    assert signs_in(post, login)

    suspend_mailbox(acme.actor, mailbox=anna)
    assert not signs_in(post, login)

    resume_mailbox(acme.actor, mailbox=anna)
    assert signs_in(post, login)


ENDS = {
    "a changed password": lambda acme, anna, _: change_password(acme.actor, mailbox=anna, password=NEW),
    "a suspended mailbox": lambda acme, anna, _: suspend_mailbox(acme.actor, mailbox=anna),
    "a deleted mailbox": lambda acme, anna, _: delete_mailbox(acme.actor, mailbox=anna),
    "a domain switched off": lambda acme, *_: set_domain_enabled(acme.actor, domain=acme.domain, enabled=False),
    "a deleted domain": lambda acme, *_: delete_domain(acme.actor, domain=acme.domain),
    "a suspended tenant": lambda acme, _, operator: suspend_tenant(operator, tenant=acme.tenant, reason="unpaid"),
}


@pytest.mark.parametrize("act", ENDS)
def test_an_open_imap_session_ends_with(post, acme, operator, act):
    anna = acme.mailbox("anna")
    session = post.imap((anna.email, PASSWORD))
    session.select("INBOX")

    ENDS[act](acme, anna, operator)

    deadline = time.monotonic() + 60
    with pytest.raises((imaplib.IMAP4.error, OSError)):  # noqa: PT012
        while time.monotonic() < deadline:
            session.noop()
            time.sleep(0.2)


def test_a_deleted_address_given_anew_opens_an_empty_mailbox(post, acme):
    old = acme.mailbox("anna")
    login = (old.email, PASSWORD)
    kept = post.deliver(old.email)
    post.arrived(login, kept)

    delete_mailbox(acme.actor, mailbox=old)
    new = acme.mailbox("anna", password=NEW)

    assert post.inbox((new.email, NEW)) == []
    assert not signs_in(post, login)

    delete_mailbox(acme.actor, mailbox=new)
    restore_mailbox(acme.actor, mailbox=old)
    assert [message["Message-ID"] for message in post.inbox(login)] == [kept]


def test_another_tenant_with_the_same_address_finds_no_trace_of_the_former(post, acme, bolt):
    name = acme.domain.domain_name
    anna = acme.mailbox("anna")
    post.arrived((anna.email, PASSWORD), post.deliver(anna.email))
    delete_domain(acme.actor, domain=acme.domain)

    bolt.claim(name)
    create_mailbox(bolt.actor, address=f"anna@{name}", password=NEW, storage_quota_mb=10)

    assert post.inbox((f"anna@{name}", NEW)) == []
    assert not signs_in(post, (f"anna@{name}", PASSWORD))
    with every_tenant("a test looks where the former mail is kept"):
        anna.refresh_from_db()
    maildir = post.stack.home / "mail" / anna.uid[:2] / anna.uid / "Maildir"
    kept = [file for folder in ("new", "cur") for file in (maildir / folder).iterdir()]
    assert len(kept) == 1


def test_use_and_last_sign_in_are_seen_in_the_panel_within_a_minute(post, acme):
    anna = acme.mailbox("anna")
    post.arrived((anna.email, PASSWORD), post.deliver(anna.email, body="x" * 5000))

    deadline = time.monotonic() + 60
    while True:
        with every_tenant("a test reads what the panel shows"):
            shown = Mailbox.objects.listed().get(pk=anna.pk)
        if shown.used_bytes > 5000 and getattr(shown, "last_login", None):
            break
        assert time.monotonic() < deadline, (shown.used_bytes, hasattr(shown, "last_login"))
        time.sleep(1)

    assert shown.last_login.service == "imap"
