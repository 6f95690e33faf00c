"""App passwords and sign-ins of a mailbox over REST."""

from datetime import UTC, datetime

import pytest

from mailboxes.models import AppPassword, SignIn
from mailboxes.operations import delete_mailbox
from mailhost.scope import every_tenant
from tests.apiside import assert_problem, errors_of, make_cast

PATH = "/mailboxes/anna@acme.example/app-passwords"


@pytest.fixture
def cast(db):
    return make_cast()


def test_its_text_is_answered_once(cast):
    caller = cast.acme.caller()

    made = caller.call("POST", PATH, {"name": "Phone", "networks": ["192.0.2.7"], "expires_at": "2090-01-01T00:00:00Z"})
    issued = made.json()
    shown = caller.read(made.headers["Location"].removeprefix("/api/v1"))

    assert made.status_code == 201
    assert issued.pop("password").startswith(issued["begins_with"] + "-")
    assert shown == issued
    assert (shown["object"], shown["mailbox"], shown["name"]) == ("app_password", "anna@acme.example", "Phone")
    assert (shown["protocols"], shown["networks"]) == (["imap", "pop3", "smtp"], ["192.0.2.7/32"])
    assert (shown["expires_at"], shown["last_used_at"], shown["last_used_by"]) == ("2090-01-01T00:00:00Z", None, None)


def test_the_list_is_of_this_mailbox_alone(cast):
    caller = cast.acme.caller()
    for name in ("Phone", "Laptop"):
        caller.call("POST", PATH, {"name": name})
    caller.call("POST", "/mailboxes", {"email": "bert@acme.example", "password": "k8Vq.river.Lamp", "storage_quota": 1})
    made = caller.call("POST", "/mailboxes/bert@acme.example/app-passwords", {"name": "Printer"}).json()

    listed = caller.read(PATH)

    assert [row["name"] for row in listed["data"]] == ["Phone", "Laptop"]
    assert_problem(caller.call("GET", f"{PATH}/{made['id']}"), 404, "not_found")


def test_a_change_says_what_it_changes_and_null_lifts_the_expiry(cast):
    caller = cast.acme.caller()
    made = caller.call("POST", PATH, {"name": "Phone", "expires_at": "2090-01-01T00:00:00Z"}).json()

    renamed = caller.call("PATCH", f"{PATH}/{made['id']}", {"name": "Old phone", "protocols": ["imap"]}).json()
    opened = caller.call("PATCH", f"{PATH}/{made['id']}", {"expires_at": None}).json()

    assert (renamed["name"], renamed["protocols"], renamed["expires_at"]) == ("Old phone", ["imap"], made["expires_at"])
    assert (opened["name"], opened["expires_at"]) == ("Old phone", None)


def test_a_revoked_one_is_gone(cast):
    caller = cast.acme.caller()
    made = caller.call("POST", PATH, {"name": "Phone"}).json()

    assert caller.call("DELETE", f"{PATH}/{made['id']}").status_code == 204
    assert_problem(caller.call("DELETE", f"{PATH}/{made['id']}"), 404, "not_found")
    with every_tenant("a test counts"):
        assert not AppPassword.objects.exists()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("#/name", "required")),
        ({"name": ""}, ("#/name", "blank")),
        ({"name": "x", "protocols": ["sieve"]}, ("#/protocols", "invalid_protocols")),
        ({"name": "x", "networks": ["there"]}, ("#/networks", "invalid_networks")),
        ({"name": "x", "expires_at": "2000-01-01T00:00:00Z"}, ("#/expires_at", "invalid_expiry")),
        ({"name": "x", "password": "mine"}, ("#/password", "unknown_field")),
    ],
)
def test_what_cannot_be_is_refused_by_pointer(cast, body, error):
    assert errors_of(cast.acme.caller().call("POST", PATH, body)) == [error]


def test_a_deleted_mailbox_has_none(cast):
    delete_mailbox(cast.acme.actor, mailbox=cast.acme.mailbox)

    assert_problem(cast.acme.caller().call("GET", PATH), 404, "not_found")


def test_activity_is_the_newest_sign_in_by_each_protocol(cast):
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    caller = cast.acme.caller()
    before = caller.read("/mailboxes/anna@acme.example/activity")
    with every_tenant("what the clock stores"):
        SignIn.objects.create(mailbox=cast.acme.mailbox, service="imap", at=at.replace(hour=9))
        SignIn.objects.create(mailbox=cast.acme.mailbox, service="pop3", at=at)

    assert (before["last_sign_in_at"], before["sign_ins"]) == (None, [])
    assert caller.read("/mailboxes/anna@acme.example/activity") == {
        "object": "activity",
        "mailbox": "anna@acme.example",
        "last_sign_in_at": "2026-05-01T12:00:00Z",
        "sign_ins": [
            {"protocol": "pop3", "at": "2026-05-01T12:00:00Z"},
            {"protocol": "imap", "at": "2026-05-01T09:00:00Z"},
        ],
    }
