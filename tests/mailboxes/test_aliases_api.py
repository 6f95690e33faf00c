"""Aliases over REST: one object for a source, with all its targets."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from mailboxes.models import Alias
from mailhost.scope import every_tenant
from tenants.models import Allowance
from tests.apiside import assert_problem, errors_of, make_cast
from tests.world import an_alias, routes

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_new_alias_is_answered_whole(cast):
    body = {"source": "Info@ACME.example", "targets": ["anna@acme.example", "partner@bücher.example"]}

    answer = cast.acme.caller().call("POST", "/aliases", body)

    with every_tenant("a test looks at its rows"):
        row = Alias.objects.filter(alias_email="info@acme.example").earliest("pk")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/aliases/als_{row.uid}"
    shown = answer.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("updated_at").endswith("Z")
    assert shown == {
        "id": f"als_{row.uid}",
        "object": "alias",
        "source": "info@acme.example",
        "source_unicode": "info@acme.example",
        "domain": "acme.example",
        "targets": ["anna@acme.example", "partner@xn--bcher-kva.example"],
        "enabled": True,
        "status": "active",
    }


def test_catch_all_is_written_with_a_star(cast):
    caller = cast.acme.caller()

    created = caller.call("POST", "/aliases", {"source": "*@acme.example", "targets": ["anna@acme.example"]})

    assert created.json()["source"] == "*@acme.example"
    assert created.json()["source_unicode"] == "*@acme.example"
    for reference in (created.json()["id"], "*@acme.example", "@acme.example", "%2A@ACME.example"):
        assert caller.read(f"/aliases/{reference}") == created.json()


def test_creating_an_alias_that_is_there_adds_its_targets(cast):
    caller = cast.acme.caller()

    answer = caller.call("POST", "/aliases", {"source": "sales@acme.example", "targets": ["y@partner.example"]})

    assert answer.json()["targets"] == ["anna@acme.example", "x@partner.example", "y@partner.example"]
    assert [row["source"] for row in caller.read("/aliases")["data"]] == ["sales@acme.example"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"targets": []}, ("#/targets", "empty")),
        ({"targets": "anna@acme.example"}, ("#/targets", "not_a_list")),
        ({"targets": ["anna@acme.example", 5]}, ("#/targets/1", "invalid")),
        ({"targets": ["|cmd"]}, ("#/targets", "invalid_address")),
        ({"targets": ["info@acme.example"]}, ("#/targets", "alias_loop")),
        ({"source": "info@bolt.example"}, ("#/source", "unknown_domain")),
        ({"source": "sales@acme.example"}, ("#/targets", "taken")),
        ({"target": "x"}, ("#/target", "unknown_field")),
    ],
    ids=str,
)
def test_alias_that_breaks_a_rule_is_refused_with_the_member_at_fault(cast, change, error):
    body = {"source": "info@acme.example", "targets": ["anna@acme.example"]}

    assert errors_of(cast.acme.caller().call("POST", "/aliases", body | change)) == [error]


def test_alias_is_switched_off_and_on_with_all_its_targets(cast):
    caller = cast.acme.caller()

    off = caller.call("PATCH", "/aliases/sales@acme.example", {"enabled": False}).json()
    routed = routes("sales@acme.example")
    on = caller.call("PATCH", "/aliases/sales@acme.example", {"enabled": True}).json()

    assert (off["enabled"], off["status"], routed) == (False, "suspended", [])
    assert (on["enabled"], on["status"]) == (True, "active")
    assert routes("sales@acme.example") == ["anna@acme.example", "x@partner.example"]


def test_patch_that_says_what_is_so_changes_nothing(cast):
    caller = cast.acme.caller()
    before = caller.read("/aliases/sales@acme.example")

    for body in ({}, {"enabled": True}):
        assert caller.call("PATCH", "/aliases/sales@acme.example", body).json() == before


def test_deleted_alias_is_gone_with_all_its_targets(cast):
    caller = cast.acme.caller()
    alias = caller.read("/aliases/sales@acme.example")

    assert caller.call("DELETE", f"/aliases/{alias['id']}").status_code == 204

    assert_problem(caller.call("GET", "/aliases/sales@acme.example"), 404, "not_found")
    assert routes("sales@acme.example") == []


def test_row_by_which_a_mailbox_answers_is_no_alias(cast):
    caller = cast.acme.caller()
    with every_tenant("a test looks at its rows"):
        own = Alias.objects.get(own_mailbox=cast.acme.mailbox)

    for reference in ("anna@acme.example", f"als_{own.uid}"):
        assert_problem(caller.call("DELETE", f"/aliases/{reference}"), 404, "not_found")


def test_alias_gets_other_targets_as_one_act(cast):
    caller = cast.acme.caller()
    before = caller.read("/aliases/sales@acme.example")

    answer = caller.call(
        "PATCH", "/aliases/sales@acme.example", {"targets": ["Anna@ACME.example", "z@partner.example"]}
    )

    assert answer.json()["targets"] == ["anna@acme.example", "z@partner.example"]
    assert answer.json()["id"] == before["id"]
    assert caller.read("/aliases/sales@acme.example") == answer.json()
    assert routes("sales@acme.example") == ["anna@acme.example", "z@partner.example"]
    with every_tenant("a test reads the record"):
        assert Event.objects.filter(action="aliases.update").count() == 1


def test_many_new_targets_cost_as_many_statements_as_few(cast):
    caller = cast.acme.caller()
    # The key notes its own use.
    caller.read("/me")
    counts = []
    for number in (2, 9):
        targets = [f"{word}{number}@partner.example" for word in "abcdefghi"[:number]]
        with CaptureQueriesContext(connection) as asked:
            caller.call("PATCH", "/aliases/sales@acme.example", {"targets": targets})
        counts.append(len(asked))

    assert len(routes("sales@acme.example")) == 9
    assert counts[0] == counts[1]


def test_new_targets_of_an_alias_that_is_off_are_off_too(cast):
    caller = cast.acme.caller()
    caller.call("PATCH", "/aliases/sales@acme.example", {"enabled": False})

    off = caller.call("PATCH", "/aliases/sales@acme.example", {"targets": ["anna@acme.example", "z@partner.example"]})
    on = caller.call("PATCH", "/aliases/sales@acme.example", {"targets": ["anna@acme.example"], "enabled": True})

    assert (off.json()["enabled"], on.json()["enabled"]) == (False, True)


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        (["sales@acme.example"], "alias_loop"),
        (["info@acme.example"], "alias_loop"),
        (["|cmd"], "invalid_address"),
    ],
)
def test_targets_that_cannot_be_leave_the_alias_as_it_was(cast, targets, code):
    caller = cast.acme.caller()
    an_alias(cast.acme.actor, "info@acme.example", "sales@acme.example")
    before = caller.read("/aliases/sales@acme.example")

    assert errors_of(caller.call("PATCH", "/aliases/sales@acme.example", {"targets": targets})) == [("#/targets", code)]
    assert caller.read("/aliases/sales@acme.example") == before


def test_alias_is_deleted_as_one_act_and_counts_as_one(cast):
    caller = cast.acme.caller()
    with every_tenant("a test looks at the book"):
        before = Allowance.objects.get(pk=cast.acme.tenant.pk).used_aliases

    caller.call("DELETE", "/aliases/sales@acme.example")

    with every_tenant("a test reads the record"):
        assert Event.objects.filter(action="aliases.delete").count() == 1
        assert Allowance.objects.get(pk=cast.acme.tenant.pk).used_aliases == before - 1


def test_a_forward_that_is_deleted_leaves_the_mailbox_its_mail(cast):
    caller = cast.acme.caller()
    an_alias(cast.acme.actor, "anna@acme.example", "anna@partner.example")
    caller.call("PATCH", "/mailboxes/anna@acme.example", {"keeps_copy": False})

    caller.call("DELETE", "/aliases/anna@acme.example")

    assert routes("anna@acme.example") == ["anna@acme.example"]
    assert caller.read("/mailboxes/anna@acme.example")["keeps_copy"] is True
