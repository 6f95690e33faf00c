"""App passwords at the real doors: IMAP, POP3 and SMTP."""

import imaplib
import poplib
import smtplib
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from mailboxes.app_password_operations import create_app_password, revoke_app_password, update_app_password
from mailboxes.models import AppPassword, Mailbox
from mailboxes.operations import (
    change_password,
    delete_mailbox,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
    update_mailbox,
)
from mailhost.scope import every_tenant
from tenants.operations import resume_tenant, suspend_tenant
from tests.mail.client import Post, written
from tests.mail.conftest import PASSWORD, Customer

REFUSED = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)
EVERY = {"imap", "pop3", "smtp"}


@pytest.fixture
def anna(acme) -> Mailbox:
    return acme.mailbox("anna")


def issue(acme: Customer, mailbox: Mailbox, **fields) -> tuple[AppPassword, str]:
    fields = {"name": "Phone", "protocols": sorted(EVERY), **fields}
    return create_app_password(acme.actor, mailbox=mailbox, **fields)


def opened(post: Post, login: tuple[str, str]) -> set[str]:
    """Return the protocols by which this login gets in."""
    doors: dict[str, Callable] = {"imap": post.imap, "pop3": post.pop3, "smtp": post.submission}
    found = set()
    for name, door in doors.items():
        try:
            session = door(login)
        except REFUSED:
            continue
        found.add(name)
        session.logout() if name == "imap" else session.quit()
    return found


def test_it_opens_every_protocol_beside_the_mailboxes_own_password(post, acme, anna):
    _, phone = issue(acme, anna)
    _, laptop = issue(acme, anna, name="Laptop")

    assert opened(post, (anna.email, phone)) == EVERY
    assert opened(post, (anna.email, laptop)) == EVERY
    assert opened(post, (anna.email, PASSWORD)) == EVERY


def test_mail_sent_and_read_with_it_is_the_mailboxes(post, acme, anna):
    login = (anna.email, issue(acme, anna)[1])

    sent = post.submit(login, written(anna.email, anna.email))

    assert post.arrived(login, sent)
    assert post.arrived((anna.email, PASSWORD), sent)


@pytest.mark.parametrize("protocols", [["imap"], ["pop3"], ["smtp"], ["imap", "smtp"]])
def test_it_opens_the_chosen_protocols_only(post, acme, anna, protocols):
    _, text = issue(acme, anna, protocols=protocols)

    assert opened(post, (anna.email, text)) == set(protocols)


def test_nothing_close_to_it_opens_anything(post, acme, anna):
    _, text = issue(acme, anna)
    bert = acme.mailbox("bert")

    for login in [
        (bert.email, text),
        (anna.email, text[:-1] + ("a" if text[-1] != "a" else "b")),
        (anna.email, text + "a"),
        (anna.email, text.upper()),
        (anna.email, text[:14]),
        (anna.email, f"{text[:14]}-aaaaaa-aaaaaa-aaaaaa-aaaaaa"),
        (anna.email, f"{text}' OR '1'='1"),
        (anna.email, f"app-7kq2m9xvh\\-{text[15:]}"),
        (anna.email, "app-%u%w%d%s;:{}}-%{if;1;==;1;x;y}"),
    ]:
        assert opened(post, login) == set(), login


def test_a_password_full_of_signs_still_opens_its_mailbox(post, acme):
    odd = "a;b:c}d{e%u%w'\"\\ %{if;1;==;1;x} app-7kq2m9xvhw-"
    dora = acme.mailbox("dora", password=odd)

    assert opened(post, (dora.email, odd)) == EVERY


def test_it_opens_from_its_networks_only(post, acme, anna):
    row, text = issue(acme, anna, networks=["198.51.100.0/24", "2001:db8::/32"])
    elsewhere = opened(post, (anna.email, text))
    update_app_password(acme.actor, app_password=row, networks=["198.51.100.0/24", "127.0.0.0/8"])

    assert elsewhere == set()
    assert opened(post, (anna.email, text)) == EVERY


def test_it_opens_until_it_expires(post, acme, anna):
    row, text = issue(acme, anna, expires_at=timezone.now() + timedelta(hours=1))
    before = opened(post, (anna.email, text))
    with every_tenant("a test lets an hour pass"):
        AppPassword.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert before == EVERY
    assert opened(post, (anna.email, text)) == set()


def test_revoked_it_opens_nothing_and_the_others_go_on(post, acme, anna):
    row, text = issue(acme, anna)
    _, other = issue(acme, anna)

    revoke_app_password(acme.actor, app_password=row)

    assert opened(post, (anna.email, text)) == set()
    assert opened(post, (anna.email, other)) == EVERY


def test_revoking_ends_an_open_session(post, acme, anna):
    row, text = issue(acme, anna)
    session = post.imap((anna.email, text))
    session.select("INBOX")

    revoke_app_password(acme.actor, app_password=row)

    assert ends(session, seconds=20)


def ends(session: imaplib.IMAP4, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            session.noop()
        except (imaplib.IMAP4.abort, OSError):
            return True
        time.sleep(0.1)
    return False


def test_what_closes_the_mailbox_closes_it_too(post, acme, operator, anna):
    login = (anna.email, issue(acme, anna)[1])

    suspend_mailbox(acme.actor, mailbox=anna)
    suspended = opened(post, login)
    resume_mailbox(acme.actor, mailbox=anna)
    suspend_tenant(operator, tenant=acme.tenant, reason="unpaid")
    tenant_suspended = opened(post, login)
    resume_tenant(operator, tenant=acme.tenant)
    resumed = opened(post, login)
    delete_mailbox(acme.actor, mailbox=anna)
    deleted = opened(post, login)
    restore_mailbox(acme.actor, mailbox=anna)

    assert suspended == tenant_suspended == deleted == set()
    assert resumed == opened(post, login) == EVERY


def test_an_address_given_again_is_not_opened_by_the_former_ones(post, acme, anna):
    login = (anna.email, issue(acme, anna)[1])
    delete_mailbox(acme.actor, mailbox=anna)

    acme.mailbox("anna")

    assert opened(post, login) == set()


@pytest.mark.parametrize(
    ("switch", "protocol"), [("imap_enabled", "imap"), ("pop3_enabled", "pop3"), ("sends_enabled", "smtp")]
)
def test_what_the_mailbox_may_not_do_no_app_password_does(post, acme, anna, switch, protocol):
    _, text = issue(acme, anna)

    update_mailbox(acme.actor, mailbox=anna, **{switch: False})

    assert opened(post, (anna.email, text)) == EVERY - {protocol}


def test_it_outlives_a_change_of_the_mailboxes_password(post, acme, anna):
    _, text = issue(acme, anna)

    change_password(acme.actor, mailbox=anna, password="another horse battery staple")

    assert opened(post, (anna.email, text)) == EVERY


def test_its_use_by_imap_and_by_smtp_is_shown_within_a_minute(post, acme, anna):
    phone, phones = issue(acme, anna)
    laptop, laptops = issue(acme, anna, name="Laptop")
    issue(acme, anna, name="Tablet")
    bert = acme.mailbox("bert")

    post.imap((anna.email, phones)).logout()
    post.submission((anna.email, laptops)).quit()
    post.submission((bert.email, PASSWORD)).quit()
    with pytest.raises(smtplib.SMTPAuthenticationError):
        post.submission((anna.email, f"{laptops[:-1]}_"))

    deadline = time.monotonic() + 60
    with every_tenant("a test waits for the worker"):
        while not (is_stored(phone) and is_stored(laptop) and bert.sign_ins.exists()):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        used_by = dict(AppPassword.objects.filter(mailbox=anna).values_list("name", "last_used_by"))
        assert used_by == {"Phone": "imap", "Laptop": "smtp", "Tablet": ""}
        assert set(anna.sign_ins.values_list("service", flat=True)) == {"imap", "smtp"}
        assert bert.last_login.service == "smtp"


def is_stored(row: AppPassword) -> bool:
    return AppPassword.objects.filter(pk=row.pk, last_used_at__isnull=False).exists()
