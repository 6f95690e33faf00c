"""Many aliases in one request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailhost.scope import every_tenant
from tenants.models import Allowance
from tests.apiside import errors_of, make_cast
from tests.world import routes, verified_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def item(local: str, *targets: str, domain: str = "acme.example") -> dict:
    return {"source": f"{local}@{domain}", "targets": list(targets or ["anna@acme.example"])}


def post(caller, *items, mode: str = "partial"):
    return caller.call("POST", "/aliases/batch", {"mode": mode, "items": list(items)})


def test_each_is_answered_in_its_place_as_it_is_shown_afterwards(cast):
    caller = cast.acme.caller()

    body = post(caller, item("b", "anna@acme.example", "x@y.example"), item("a"), item("*"), mode="atomic").json()

    assert (body["created"], body["refused"]) == (3, 0)
    shown = [row["object"] for row in body["data"]]
    assert [row["source"] for row in shown] == ["b@acme.example", "a@acme.example", "*@acme.example"]
    assert shown == [caller.read(f"/aliases/{row['source']}") for row in shown]
    assert routes("b@acme.example") == ["anna@acme.example", "x@y.example"]


def test_alias_domains_follow(cast):
    verified_domain(cast.acme.actor, "acme2.example", cast.acme.domain)

    post(cast.acme.caller(), item("b"))

    assert routes("b@acme2.example") == ["anna@acme.example"]


def test_in_part_mode_those_that_can_be_made_are_made(cast):
    items = [
        item("good"),
        item("sales"),
        item("sales", "new@y.example"),
        item("good", "x@y.example"),
        item("self", "self@acme.example"),
        item("x", domain="bolt.example"),
        item("bad", "|cmd"),
        {"source": "no@acme.example"},
        item("chain", "good@acme.example"),
    ]

    body = post(cast.acme.caller(), *items).json()

    assert [row["status"] for row in body["data"]] == [201, 422, 422, 422, 422, 422, 422, 422, 201]
    assert [(error["pointer"], error["code"]) for row in body["data"] for error in row["errors"]] == [
        ("#/targets", "taken"),
        ("#/source", "taken"),
        ("#/source", "taken"),
        ("#/targets", "alias_loop"),
        ("#/source", "unknown_domain"),
        ("#/targets", "invalid_address"),
        ("#/targets", "required"),
    ]
    assert routes("chain@acme.example") == ["good@acme.example"]


def test_those_that_close_a_circle_together_are_refused_and_the_others_made(cast):
    body = post(
        cast.acme.caller(), item("a", "b@acme.example"), item("b", "a@acme.example"), item("c", "anna@acme.example")
    ).json()

    assert [row["status"] for row in body["data"]] == [422, 422, 201]
    assert routes("a@acme.example") == []


def test_a_circle_stops_an_atomic_batch(cast):
    answer = post(cast.acme.caller(), item("a", "b@acme.example"), item("b", "a@acme.example"), mode="atomic")

    assert errors_of(answer) == [("#/items/0/targets", "alias_loop"), ("#/items/1/targets", "alias_loop")]


def test_limits_let_in_as_many_as_fit(cast):
    with every_tenant("a test sets a limit"):
        Allowance.objects.filter(pk=cast.acme.tenant.pk).update(aliases=3)

    body = post(cast.acme.caller(), *(item(f"a{number}") for number in range(5))).json()

    assert [row["status"] for row in body["data"]] == [201, 201, 422, 422, 422]


def test_a_hundred_cost_hardly_more_statements_than_ten(cast):
    caller = cast.acme.caller()
    caller.read("/me")

    with CaptureQueriesContext(connection) as of_ten:
        post(caller, *(item(f"a{number}") for number in range(10)))
    with CaptureQueriesContext(connection) as of_hundred:
        post(caller, *(item(f"b{number}") for number in range(100)))

    assert len(of_hundred) == len(of_ten) <= 25
