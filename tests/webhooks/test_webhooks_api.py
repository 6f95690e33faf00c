"""Webhook endpoints over REST."""

from functools import partial

import pytest

from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import assert_problem, errors_of, make_cast
from tests.together import at_once
from tests.world import fresh
from webhooks.models import Endpoint
from webhooks.operations import create_endpoint, update_endpoint
from webhooks.signing import decrypt

HOOK = {"url": "https://hooks.acme.example/in", "event_types": ["mailbox.created"], "description": "Billing"}


@pytest.fixture
def cast(db):
    return make_cast()


def test_the_secret_is_answered_once_and_stored_encrypted(cast):
    caller = cast.acme.caller()

    made = caller.call("POST", "/webhook-endpoints", HOOK)
    issued = made.json()
    secret = issued.pop("secret")
    shown = caller.read(made.headers["Location"].removeprefix("/api/v1"))

    assert made.status_code == 201
    assert shown == issued
    assert (shown["object"], shown["url"], shown["event_types"]) == (
        "webhook_endpoint",
        HOOK["url"],
        ["mailbox.created"],
    )
    assert (shown["enabled"], shown["disabled_reason"]) == (True, "")
    assert secret.startswith("whsec_")
    with every_tenant("a test looks at the row"):
        stored = Endpoint.objects.get().signing_secret
    assert secret not in stored
    assert decrypt(stored) == secret


def test_a_change_leaves_what_is_not_named_and_a_rotation_makes_a_new_secret(cast):
    caller = cast.acme.caller()
    made = caller.call("POST", "/webhook-endpoints", HOOK).json()
    path = f"/webhook-endpoints/{made['id']}"

    changed = caller.call("PATCH", path, {"enabled": False}).json()
    rotated = caller.call("POST", f"{path}/rotate-secret").json()

    assert (changed["enabled"], changed["event_types"]) == (False, ["mailbox.created"])
    assert rotated["secret"] not in {made["secret"], ""}


def test_the_log_shows_what_was_told_and_a_message_can_be_sent_again(cast):
    caller = cast.acme.caller()
    made = caller.call("POST", "/webhook-endpoints", HOOK).json()
    path = f"/webhook-endpoints/{made['id']}"

    test = caller.call("POST", f"{path}/test").json()
    again = caller.call("POST", f"{path}/deliveries/{test['id']}/redeliver").json()
    log = caller.read(f"{path}/deliveries")["data"]

    assert (test["state"], test["event_type"], test["attempts"]) == ("pending", "webhook.test", [])
    assert again["message_id"] == test["message_id"]
    assert [row["id"] for row in log] == [again["id"], test["id"]]
    assert [caller.read(f"{path}/deliveries/{row['id']}")["id"] for row in log] == [again["id"], test["id"]]
    assert log[0]["payload"]["type"] == "webhook.test"
    assert caller.read(f"{path}/deliveries?state=failed")["data"] == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("#/url", "required")),
        ({"url": "https://127.0.0.1/"}, ("#/url", "invalid_url")),
        ({"url": HOOK["url"], "event_types": ["mailbox.opened"]}, ("#/event_types", "invalid_types")),
        ({"url": HOOK["url"], "secret": "mine"}, ("#/secret", "unknown_field")),
    ],
)
def test_what_cannot_be_is_refused_by_pointer(cast, body, error):
    assert errors_of(cast.acme.caller().call("POST", "/webhook-endpoints", body)) == [error]


def test_one_that_is_off_takes_no_test(cast):
    caller = cast.acme.caller()
    made = caller.call("POST", "/webhook-endpoints", HOOK).json()
    caller.call("PATCH", f"/webhook-endpoints/{made['id']}", {"enabled": False})

    assert errors_of(caller.call("POST", f"/webhook-endpoints/{made['id']}/test")) == [("#", "disabled")]


def test_whoever_may_not_see_secrets_sees_no_endpoints(cast):
    for role in (Role.READ_ONLY, Role.SUPPORT, Role.MAIL_MANAGER):
        assert_problem(cast.acme.caller(role).call("GET", "/webhook-endpoints"), 403, "not_permitted")


@pytest.mark.django_db(transaction=True)
def test_two_who_change_one_endpoint_at_once_both_do():
    actor = make_cast().acme.actor
    endpoint, _ = create_endpoint(actor, url=HOOK["url"])
    changes = ({"description": "Billing"}, {"types": ["mailbox.created"]}, {"enabled": False})

    outcomes = at_once(*[partial(update_endpoint, actor, endpoint=endpoint, **change) for change in changes])

    assert outcomes == ["done"] * 3
    row = fresh(endpoint)
    assert (row.description, row.types, row.is_enabled) == ("Billing", ["mailbox.created"], False)
