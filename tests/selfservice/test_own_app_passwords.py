"""App passwords on the mailbox users' own site: they see, make and revoke those of their mailbox, and no others."""

import base64
import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Event
from mailboxes.app_password_operations import MAX_OF_MAILBOX, create_app_password, update_app_password
from mailboxes.models import AppPassword, Mailbox
from mailhost.errors import NotPermitted
from mailhost.scope import every_tenant
from selfservice.operations import mailbox_user
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import World, a_mailbox, make_world, verified_domain

ANNA, BEN = "anna@acme.example", "ben@acme.example"
# Of PASSWORD_HASH.
PASSWORD = "correct horse battery staple"
LIST, ADD = "/mailbox/app-passwords/", "/mailbox/app-passwords/add/"


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of those names
    world = make_world()
    verified_domain(world.as_acme, "acme.example")
    for address in (ANNA, BEN):
        a_mailbox(world.as_acme, address)
    return world


@pytest.fixture
def anna(world) -> Client:
    client = Client()
    assert client.post("/mailbox/sign-in/", {"email": ANNA, "password": PASSWORD}).status_code == 302
    return client


def mailbox(email: str) -> Mailbox:
    with every_tenant("a test looks at its rows"):
        return Mailbox.objects.select_related("domain__tenant").get(email=email)


def app_passwords(email: str) -> list[AppPassword]:
    with every_tenant("a test looks at its rows"):
        return list(AppPassword.objects.filter(mailbox__email=email))


def one_of(world: World, email: str, name: str, **arguments) -> AppPassword:
    arguments = {"protocols": ["imap"], **arguments}
    return create_app_password(world.as_acme, mailbox=mailbox(email), name=name, **arguments)[0]


def last_event() -> Event:
    with every_tenant("the test reads the record"):
        return Event.objects.newest_first().first()


def test_the_user_sees_what_opens_the_mailbox(world, anna):
    ends = timezone.now() + timedelta(days=3)
    row = one_of(world, ANNA, "Printer", protocols=["pop3", "smtp"], networks=["192.0.2.0/24"], expires_at=ends)
    with every_tenant("the test signs in by POP3"):
        AppPassword.objects.filter(pk=row.pk).update(last_used_at=timezone.now(), last_used_by="pop3")
    one_of(world, BEN, "Ben's phone")

    page = anna.get(LIST).content.decode()

    for words in ("Printer", f"app-{row.selector}", "POP3, SMTP", "192.0.2.0/24", f"{ends:%Y, %H:%M}", "by POP3"):
        assert words in page
    assert "phone" not in page
    assert row.digest not in page


def test_a_new_one_is_shown_once_and_recorded_as_the_users_act(world, anna):
    sent = {"name": "Phone", "imap": "on", "smtp": "on", "networks": "192.0.2.7\n2001:db8::/32", "expires_on": ""}

    answer = anna.post(ADD, sent)

    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode().split('<code id="password">')[1].split("<")[0]
    (row,) = app_passwords(ANNA)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert row.digest == f"{{SHA256}}{digest}"
    assert (row.protocols, row.network_list) == (["imap", "smtp"], ["192.0.2.7/32", "2001:db8::/32"])
    assert text not in anna.get(LIST).content.decode()
    event = last_event()
    assert (event.action, event.actor, event.user_id) == ("app_passwords.create", ANNA, None)
    assert text not in f"{event.details} {event.before} {event.after}"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": "Phone"}, "Choose at least one of"),
        ({"name": "", "imap": "on"}, "This field is required"),
        ({"name": "Phone", "imap": "on", "networks": "home"}, "is no address and no network"),
        ({"name": "Phone", "imap": "on", "expires_on": "2020-01-01"}, "Choose a moment in the future"),
    ],
    ids=["no service", "no name", "no network", "past day"],
)
def test_bad_input_is_named_and_makes_none(world, anna, sent, said):
    answer = anna.post(ADD, sent)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert app_passwords(ANNA) == []


def test_a_mailbox_has_only_so_many(world, anna, monkeypatch):
    assert MAX_OF_MAILBOX > 1
    monkeypatch.setattr("mailboxes.app_password_operations.MAX_OF_MAILBOX", 1)
    one_of(world, ANNA, "First")

    answer = anna.post(ADD, {"name": "Second", "imap": "on"})

    assert (answer.status_code, len(app_passwords(ANNA))) == (422, 1)
    assert "Revoke those nobody uses." in answer.content.decode()


def test_the_user_revokes_one_and_keeps_the_others(world, anna):
    kept, lost = one_of(world, ANNA, "Phone"), one_of(world, ANNA, "Lost laptop")

    asked = anna.get(f"{LIST}{lost.uid}/revoke/").content.decode()
    wrong = anna.post(f"{LIST}{lost.uid}/revoke/", {"typed": "Phone"})
    assert "Type Lost laptop to go on" in asked
    assert (wrong.status_code, len(app_passwords(ANNA))) == (422, 2)
    answer = anna.post(f"{LIST}{lost.uid}/revoke/", {"typed": "Lost laptop"}, follow=True)

    assert "The app password Lost laptop of anna@acme.example was revoked." in answer.content.decode()
    assert app_passwords(ANNA) == [kept]
    event = last_event()
    assert (event.action, event.actor) == ("app_passwords.revoke", ANNA)
    assert anna.post(f"{LIST}{lost.uid}/revoke/").status_code == 404


def test_nobody_revokes_anothers(world, anna):
    row = one_of(world, BEN, "Ben's phone")

    assert anna.post(f"{LIST}{row.uid}/revoke/").status_code == 404
    assert anna.get(f"{LIST}{row.uid}/revoke/").status_code == 404
    assert app_passwords(BEN) == [row]


def test_without_a_session_nothing_is_shown_or_changed(world):
    row, stranger = one_of(world, ANNA, "Phone"), Client()

    for answer in (
        stranger.get(LIST),
        stranger.get(ADD),
        stranger.post(ADD, {"name": "Mine", "imap": "on"}),
        stranger.post(f"{LIST}{row.uid}/revoke/"),
    ):
        assert (answer.status_code, answer["Location"]) == (302, "/mailbox/sign-in/")
    assert app_passwords(ANNA) == [row]


def test_the_session_opens_no_app_password_of_the_panel(world, anna):
    row = one_of(world, ANNA, "Phone")
    uid = mailbox(ANNA).uid

    for path in (f"/mailboxes/{uid}/app-passwords/", f"/mailboxes/{uid}/app-passwords/add/"):
        assert anna.get(path)["Location"].startswith("/sign-in/"), path
    assert anna.post(f"/app-passwords/{row.uid}/revoke/")["Location"].startswith("/sign-in/")
    assert anna.get(f"/api/v1/mailboxes/{ANNA}/app-passwords").status_code == 401
    assert app_passwords(ANNA) == [row]


def test_a_mailbox_user_may_nothing_else_with_them(world):
    row = one_of(world, ANNA, "Phone")

    with pytest.raises(NotPermitted):
        update_app_password(mailbox_user(mailbox(ANNA), "192.0.2.1"), app_password=row, never_expires=True)


def test_the_list_costs_the_same_however_long(world, anna, django_assert_num_queries):
    one_of(world, ANNA, "First")
    with CaptureQueriesContext(connection) as few:
        anna.get(LIST)
    for number in range(5):
        one_of(world, ANNA, f"Phone {number}")

    with django_assert_num_queries(len(few)):
        anna.get(LIST)
