"""The explanation of an address over REST; tests/mail compares it with the daemons."""

import pytest

from tests.apiside import assert_problem, make_cast


@pytest.fixture
def cast(db):
    return make_cast()


def test_the_way_of_an_alias_is_told_step_by_step(cast):
    told = cast.acme.caller().read("/explain?recipient=Sales@ACME.example")

    assert (told["object"], told["outcome"], told["reply"], told["rule"]) == (
        "explanation",
        "accepted",
        "250 2.1.5",
        "alias",
    )
    assert told["decided_by"] == {
        "object": "alias",
        "id": f"als_{cast.acme.alias.uid}",
        "name": "sales@acme.example",
    }
    assert told["delivered_to"] == ["anna@acme.example"]
    assert told["leaves_to"] == ["x@partner.example"]
    assert [(step["by"], step["question"], step["asked"]) for step in told["steps"]] == [
        ("postfix", "domains", "acme.example"),
        ("postfix", "recipients", "sales@acme.example"),
        ("postfix", "sources", "sales@acme.example"),
        ("dovecot", "weighed", "sales@acme.example"),
        ("postfix", "aliases", "sales@acme.example"),
        ("postfix", "aliases", "anna@acme.example"),
        ("dovecot", "delivery", "anna@acme.example"),
    ]


def test_a_detail_is_judged_by_its_domain_first(cast):
    caller, address = cast.acme.caller(), "anna%2Bnews@acme.example"

    taken = caller.read(f"/explain?recipient={address}")
    caller.call("PATCH", "/domains/acme.example", {"plus_addressing": False})
    refused = caller.read(f"/explain?recipient={address}")

    assert (taken["reply"], taken["rule"], taken["delivered_to"]) == ("250 2.1.5", "mailbox", ["anna@acme.example"])
    assert (refused["reply"], refused["rule"]) == ("550 5.1.1", "plus_addressing_off")
    assert refused["decided_by"]["name"] == "acme.example"
    assert [step["question"] for step in refused["steps"]] == ["domains", "details"]
    assert [step["question"] for step in taken["steps"]][:3] == ["domains", "details", "recipients"]


def test_a_sender_is_told_by_whom_it_may_be_used(cast):
    caller = cast.acme.caller()

    allowed = caller.read("/explain?sender=sales@acme.example&login=anna@acme.example")
    other = caller.read("/explain?sender=boss@acme.example&login=anna@acme.example")

    assert (allowed["outcome"], allowed["rule"], allowed["decided_by"]["object"]) == (
        "accepted",
        "sender_allowed",
        "alias",
    )
    assert (other["outcome"], other["reply"], other["rule"]) == ("refused", "553 5.7.1", "sender_not_allowed")
    assert "{" not in str([step["answer"] for step in allowed["steps"]])


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("", "recipient", "required"),
        ("sender=a@acme.example", "login", "required"),
        ("login=a@acme.example", "sender", "required"),
        ("recipient=a@acme.example&login=a@acme.example", "sender", "required"),
        ("recipient=nobody", "recipient", "invalid_address"),
        ("recipient=a'b c@acme.example", "recipient", "invalid_address"),
        ("sender=%3C%3E&login=a@acme.example", "sender", "invalid_address"),
        ("recipients=a@acme.example", "recipients", "unknown_parameter"),
    ],
)
def test_half_a_question_is_refused_by_parameter(cast, query, parameter, code):
    problem = assert_problem(cast.acme.caller().call("GET", f"/explain?{query}"), 400, "invalid_parameter")

    assert [(error["parameter"], error["code"]) for error in problem["errors"]] == [(parameter, code)]


def test_a_strangers_address_looks_like_one_that_never_was(cast):
    stranger = cast.bolt.caller()

    assert stranger.read("/explain?recipient=anna@acme.example") == stranger.read(
        "/explain?recipient=anna@never-was.example"
    )
