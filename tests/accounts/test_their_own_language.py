"""What is written by the machine and read by people is said to each in their own language."""

from datetime import UTC, datetime

import pytest
from django.core import mail

from accounts.models import User
from accounts.tasks import send_invitation, send_password_reset
from domains.models import DomainNotice
from domains.proof import Proof
from domains.proof_operations import note_proof
from domains.tasks import mail_notice
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.accounts.test_invite_member import invited
from tests.apiside import Caller, make_key
from tests.mailboxes.test_import import HEADER, bring, start, work_to_its_end
from tests.mailboxes.test_mailbox_list_page import browser_of
from tests.routes.cast import a_member
from tests.webside import plain_static  # noqa: F401 - fixture
from tests.world import PASSWORD_HASH, a_mailbox, an_alias, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

LAPSED_AT = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)


def speaks(user: User, language: str) -> User:
    user.language = language
    user.save(update_fields=["language"])
    return user


@pytest.fixture
def lapsed(world, settings):
    settings.MAILHOST_PROOF_GRACE_DAYS = 14
    domain = verified_domain(world.as_acme, "acme.example")
    with every_tenant("a check of all domains"):
        note_proof(domain, Proof.LACKING, now=LAPSED_AT)
    return domain


def test_a_notice_reaches_each_owner_in_their_language(world, lapsed):
    german = speaks(a_member(world.acme, Role.OWNER).user, "de")
    english = speaks(a_member(world.acme, Role.ADMIN).user, "")
    with every_tenant("a test finds the notice"):
        notice = DomainNotice.objects.get(domain=lapsed, event="domain.proof_lapsed")

    mail_notice(notice.pk)

    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert letters[german.email].subject.endswith("Nachweis der Inhaberschaft ist verschwunden")  # codespell:ignore
    assert "endet am 17. Dezember 2026" in letters[german.email].body  # codespell:ignore
    assert letters[english.email].subject == "acme.example: the ownership record is gone"
    assert "stops on 17 December 2026 unless" in letters[english.email].body


def test_the_page_of_a_domain_tells_what_was_told(world, lapsed):
    browser = browser_of(world.acme)

    page = browser.get(f"/domains/{lapsed.uid}/history/", headers={"Accept-Language": "de"}).content.decode()

    assert "endet am 17. Dezember 2026" in page  # codespell:ignore


def test_who_is_invited_reads_the_language_of_whoever_invites(world):
    invitation = invited(world)

    send_invitation(invitation.pk, "de")

    [letter] = mail.outbox
    assert letter.subject == "Einladung zu Acme"
    assert "lädt Sie zu Acme ein" in letter.body  # codespell:ignore


def test_a_reset_comes_in_the_language_the_person_has_chosen(world):
    user = a_member(world.acme, Role.OWNER).user
    user.set_password("correct horse battery staple")
    speaks(user, "de").save()

    send_password_reset(user.email, "en")

    assert [letter.subject for letter in mail.outbox] == ["Ein neues Passwort für Mailhost"]


def test_an_import_tells_each_reader_in_their_language_why_rows_were_not_taken(world):
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "ben@acme.example")
    browser = browser_of(world.acme)
    address = bring(browser, HEADER + f"info@acme.example,,,{PASSWORD_HASH}\nbad address,,,\n")
    start(browser, address)
    # Between the look and the work, somebody else takes the address.
    an_alias(world.as_acme, "info@acme.example", "ben@acme.example")

    work_to_its_end()

    german = browser.get(address, headers={"Accept-Language": "de"}).content.decode()
    english = browser.get(address, headers={"Accept-Language": "en"}).content.decode()
    assert "info@acme.example is an alias already" in english
    assert "info@acme.example ist schon ein Alias" in german  # codespell:ignore
    assert "“bad address” has no domain." in english
    assert "„bad address“ hat keine Domain." in german
    report = browser.get(f"{address}report.csv", headers={"Accept-Language": "de"}).getvalue().decode()
    assert "info@acme.example ist schon ein Alias" in report  # codespell:ignore
    caller = Caller(make_key(world.acme))
    [listed] = caller.read("/operations")["data"]
    operation = caller.read(f"/operations/{listed['id']}")
    assert [set(error) for error in operation["errors"]] == [{"row", "pointer", "code", "detail"}]
    assert "info@acme.example is an alias already" in operation["errors"][0]["detail"]
