"""Many mailboxes in one request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.passwords import verify
from mailhost.scope import every_tenant
from tenants.models import Allowance
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key
from tests.world import PASSWORD, PASSWORD_HASH, an_alias, routes, senders, verified_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def item(local: str, domain: str = "acme.example", **more) -> dict:
    return {"email": f"{local}@{domain}", "password_hash": PASSWORD_HASH, "storage_quota": 5} | more


def post(caller, *items, mode: str = "partial"):
    return caller.call("POST", "/mailboxes/batch", {"mode": mode, "items": list(items)})


def count() -> int:
    with every_tenant("a test counts"):
        return Mailbox.objects.live().count()


def allow(tenant, **limits) -> None:
    with every_tenant("a test sets a limit"):
        Allowance.objects.filter(pk=tenant.pk).update(**limits)


def test_each_is_answered_in_its_place_as_it_is_shown_afterwards(cast):
    caller = cast.acme.caller()

    answer = post(caller, item("otto", display_name="Otto"), item("ada"), mode="atomic")

    body = answer.json()
    assert answer.status_code == 200
    assert (body["object"], body["mode"], body["created"], body["refused"]) == ("batch", "atomic", 2, 0)
    assert [row["status"] for row in body["data"]] == [201, 201]
    shown = [row["object"] for row in body["data"]]
    assert [row["email"] for row in shown] == ["otto@acme.example", "ada@acme.example"]
    assert shown == [caller.read(f"/mailboxes/{row['email']}") for row in shown]


def test_they_are_mailboxes_like_any_other(cast):
    an_alias(cast.acme.actor, "info@acme.example", "otto@acme.example", "otto+news@acme.example")
    verified_domain(cast.acme.actor, "acme2.example", cast.acme.domain)
    QuotaUsage.objects.create(username="otto@acme.example", bytes=5_000_000)

    post(cast.acme.caller(), item("otto"), item("ada"))

    assert routes("otto@acme.example") == ["otto@acme.example"]
    assert routes("otto@acme2.example") == ["otto@acme.example"]
    assert routes("info@acme.example") == ["otto+news@acme.example", "otto@acme.example"]
    assert senders("info@acme.example") == ["otto@acme.example"]
    assert cast.acme.caller().read("/mailboxes/otto@acme.example")["usage_mb"] == 0
    with every_tenant("a test looks at its rows"):
        otto = Mailbox.objects.get(email="otto@acme.example")
        assert (otto.is_active, otto.may_receive, otto.tenant_id) == (True, True, cast.acme.tenant.pk)
        # Its own row, the two of info@, and all three in the alias domain.
        assert Alias.objects.filter(target_mailbox=otto).count() == 6
    assert verify("correct horse battery staple", otto.password_hash)


def test_in_part_mode_those_that_can_be_made_are_made(cast):
    items = [
        item("otto"),
        item("anna"),
        item("sales"),
        item("otto"),
        item("x", "bolt.example"),
        item("|cmd"),
        item("ada", storage_quota=0),
        item("eve", password_hash="{PLAIN}x"),
        {"email": "no@acme.example", "password_hash": PASSWORD_HASH},
        item("zoe", colour="red"),
        "otto@acme.example",
        item("last"),
    ]

    body = post(cast.acme.caller(), *items).json()

    assert (body["created"], body["refused"]) == (2, 10)
    assert [row["status"] for row in body["data"]] == [201] + [422] * 10 + [201]
    assert [(error["pointer"], error["code"]) for row in body["data"] for error in row["errors"]] == [
        ("#/email", "taken"),
        ("#/email", "taken"),
        ("#/email", "taken"),
        ("#/email", "unknown_domain"),
        ("#/email", "invalid_address"),
        ("#/storage_quota", "invalid_quota"),
        ("#/password_hash", "invalid_hash"),
        ("#/storage_quota", "required"),
        ("#/colour", "unknown_field"),
        ("#", "invalid"),
    ]


def test_in_atomic_mode_one_that_cannot_be_made_stops_all_and_every_fault_is_named(cast):
    before = count()

    ruled = post(cast.acme.caller(), item("otto"), item("anna"), item("|cmd"), mode="atomic")
    shaped = post(cast.acme.caller(), item("otto"), item("ada", storage_quota="5"), mode="atomic")

    assert errors_of(ruled) == [("#/items/1/email", "taken"), ("#/items/2/email", "invalid_address")]
    assert errors_of(shaped) == [("#/items/1/storage_quota", "invalid")]
    assert count() == before


def test_limits_let_in_as_many_as_fit(cast):
    allow(cast.acme.tenant, mailboxes=4)

    body = post(cast.acme.caller(), *(item(f"box{number}") for number in range(7))).json()

    assert [row["status"] for row in body["data"]] == [201] * 3 + [422] * 4
    assert {error["code"] for row in body["data"] for error in row["errors"]} == {"limit_reached"}
    with every_tenant("a test looks at the book"):
        assert Allowance.objects.get(pk=cast.acme.tenant.pk).used_mailboxes == 4


def test_a_limit_stops_an_atomic_batch_as_a_whole(cast):
    allow(cast.acme.tenant, mailboxes=4)
    before = count()

    answer = post(cast.acme.caller(), *(item(f"box{number}") for number in range(7)), mode="atomic")

    assert errors_of(answer) == [("#/items", "limit_reached")]
    assert count() == before


def test_a_reseller_creates_for_several_customers_at_once_and_each_pays_for_its_own(cast):
    rita = Caller(make_key(cast.rita))

    body = post(rita, item("otto"), item("otto", "bolt.example"), item("ada"), mode="atomic").json()

    assert body["created"] == 3
    with every_tenant("a test looks at the book"):
        used = [Allowance.objects.get(pk=one.tenant.pk).used_mailboxes for one in (cast.acme, cast.bolt)]
    assert used == [3, 2]


def test_passwords_are_hashed_and_many_of_them_refused(cast):
    few = post(cast.acme.caller(), {**item("otto"), "password": PASSWORD, "password_hash": ""}, mode="atomic")
    plain = [{"email": f"b{n}@acme.example", "password": PASSWORD, "storage_quota": 1} for n in range(101)]
    many = post(cast.acme.caller(), *plain)

    assert errors_of(few) == [("#/items/0/password_hash", "blank")]
    assert errors_of(many) == [("#/items", "too_many_passwords")]
    one = post(cast.acme.caller(), plain[0]).json()
    assert one["created"] == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"mode": "partial", "items": []}, ("#/items", "min_length")),
        ({"mode": "partial", "items": [{}] * 1001}, ("#/items", "max_length")),
        ({"mode": "some", "items": [{}]}, ("#/mode", "invalid_choice")),
        ({"items": [{}]}, ("#/mode", "required")),
        ({"mode": "partial", "items": {}}, ("#/items", "not_a_list")),
    ],
    ids=str,
)
def test_a_batch_of_another_shape_is_refused(cast, body, error):
    assert errors_of(cast.acme.caller().call("POST", "/mailboxes/batch", body)) == [error]


def test_a_rehearsal_tells_what_would_become_of_each_and_makes_none(cast):
    before = count()
    body = {"mode": "partial", "items": [item("otto"), item("anna")]}

    answer = cast.acme.caller().call("POST", "/mailboxes/batch?dry_run=true", body)

    assert [row["status"] for row in answer.json()["data"]] == [201, 422]
    assert count() == before


def test_reading_only_is_not_enough(cast):
    assert_problem(post(cast.acme.caller("read_only"), item("otto")), 403, "not_permitted")


def test_a_hundred_cost_hardly_more_statements_than_ten(cast):
    caller = cast.acme.caller()
    caller.read("/me")

    with CaptureQueriesContext(connection) as of_ten:
        post(caller, *(item(f"a{number}") for number in range(10)))
    with CaptureQueriesContext(connection) as of_hundred:
        post(caller, *(item(f"b{number}") for number in range(100)))

    assert len(of_hundred) == len(of_ten) <= 25
