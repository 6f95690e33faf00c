"""The audit log over REST."""

import csv
import json

import pytest

from audit.models import Event
from domains.operations import create_domain, set_domain_enabled
from mailhost.scope import NoScope, every_tenant
from tenants.models import Kind
from tenants.operations import create_tenant, suspend_tenant
from tests.apiside import Caller, assert_problem, make_cast, make_key
from tests.world import actor_of

pytestmark = pytest.mark.django_db

FORMULA = '=HYPERLINK("http://x.example")'


@pytest.fixture
def cast():
    return make_cast()


def file_of(caller: Caller, path: str) -> str:
    answer = caller.call("GET", path)
    assert answer.status_code == 200
    assert answer.streaming
    # Whoever sends the file is no longer in the request.
    with pytest.raises(NoScope):
        Event.objects.count()
    return answer.getvalue().decode()


def test_an_event_says_who_did_what_to_what(cast):
    caller = cast.acme.caller()
    caller.call("PATCH", "/domains/acme.example", {"enabled": False}, headers={"X-Request-Id": "my-own-id-1"})

    event = caller.read("/audit-events?limit=1")["data"][0]

    key = caller.read("/me")["key"]
    assert event["id"].startswith("evt_")
    assert event["tenant_id"] == f"ten_{cast.acme.tenant.uid}"
    assert event["action"] == "domains.set_enabled"
    assert event["actor"] == {"type": "key", "name": f"{key['name']} ({key['prefix']}…)", "impersonator": ""}
    assert event["target"] == {"type": "domain", "id": f"dom_{cast.acme.domain.uid}", "name": "acme.example"}
    assert (event["before"], event["after"]) == ({"is_enabled": True}, {"is_enabled": False})
    assert (event["address"], event["request_id"]) == ("127.0.0.1", "my-own-id-1")
    assert caller.read(f"/audit-events/{event['id']}") == event


def test_events_are_listed_newest_first_in_pages(cast):
    caller = Caller(make_key(cast.rita))
    whole = caller.read("/audit-events?limit=200")["data"]

    first = caller.read("/audit-events?limit=3")
    second = caller.read(f"/audit-events?limit=200&after={first['next_cursor']}")

    assert first["data"] + second["data"] == whole
    assert [row["created_at"] for row in whole] == sorted((row["created_at"] for row in whole), reverse=True)


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=domains.set_enabled", {"domains.set_enabled"}),
        ("action=mailboxes.", {"mailboxes.create"}),
        ("q=anna@acme", {"mailboxes.create", "aliases.create"}),
        ("target=dom_{domain}", {"domains.create", "domains.set_enabled"}),
        ("target=dom_{domain}&action=domains.create", {"domains.create"}),
        ("tenant=ten_{tenant}&action=domains.set_enabled", {"domains.set_enabled"}),
        ("request_id=req_of_nobody", set()),
        ("since=2099-01-01T00:00:00Z", set()),
        ("until=2020-01-01T00:00:00Z", set()),
        ("until=2099-01-01T00:00:00Z&action=domains.set_enabled", {"domains.set_enabled"}),
        ("tenant=ten_00000000000000000000", set()),
        ("target=dom_é", set()),
        ("q=50%25_off", set()),
    ],
)
def test_filters_narrow_the_list_and_the_file_alike(cast, query, actions):
    set_domain_enabled(cast.acme.actor, domain=cast.acme.domain, enabled=False)
    query = query.format(domain=cast.acme.domain.uid, tenant=cast.acme.tenant.uid)
    caller = cast.acme.caller()

    listed = caller.read(f"/audit-events?{query}")["data"]
    written = json.loads(file_of(caller, f"/audit-events/export?{query}"))

    assert {event["action"] for event in listed} == actions
    assert [event["id"] for event in written] == [event["id"] for event in listed]


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2026-11-20T18:00:00", "format=xml", "sort=oldest", "page=2"]
)
def test_a_filter_that_means_nothing_is_refused(cast, query):
    path = "/audit-events/export" if query.startswith("format") else "/audit-events"

    assert_problem(cast.acme.caller().call("GET", f"{path}?{query}"), 400, "invalid_parameter")


def test_of_whoever_acts_from_above_no_more_is_told_than_that(cast):
    create_domain(actor_of(cast.acme.tenant), name="other.example")
    suspend_tenant(actor_of(cast.rita), tenant=cast.acme.tenant, blocks=["sending"], reason="unpaid")

    event = cast.acme.caller().read("/audit-events?action=tenants.suspend")["data"][0]
    whole = cast.acme.caller().call("GET", "/audit-events?limit=200").content.decode()
    file = file_of(cast.acme.caller(), "/audit-events/export")
    above = Caller(make_key(cast.rita)).read("/audit-events?action=tenants.suspend")["data"][0]

    assert event["actor"] == {"type": "provider", "name": "", "impersonator": ""}
    assert cast.acme.caller().read("/audit-events?q=rita")["data"] == []
    assert (event["address"], event["details"]) == ("", {})
    assert event["after"].pop("suspended_at")
    assert event["after"] == {"blocks_sending": True, "suspension_reason": "unpaid"}
    assert "rita" not in whole.lower()
    assert "rita" not in file.lower()
    assert (above["id"], above["actor"]["name"]) == (event["id"], "owner@rita.example")


def test_nobody_sees_the_events_of_a_neighbour(cast):
    theirs = cast.acme.caller().read("/audit-events?limit=1")["data"][0]["id"]

    assert_problem(cast.bolt.caller().call("GET", f"/audit-events/{theirs}"), 404, "not_found")
    assert cast.bolt.caller().read(f"/audit-events?tenant=ten_{cast.acme.tenant.uid}")["data"] == []


def test_the_file_is_written_while_it_is_read(cast):
    for number in range(30):
        create_domain(cast.acme.actor, name=f"many-{number}.example")

    answer = cast.acme.caller().call("GET", "/audit-events/export?format=csv")
    chunks = list(answer.streaming_content)

    with every_tenant("a test counts"):
        assert len(chunks) == 1 + Event.objects.filter(tenant=cast.acme.tenant).count()
    rows = list(csv.DictReader(b"".join(chunks).decode().splitlines()))
    assert rows[0]["act"] == "keys.create"
    assert rows[1]["object"] == "many-29.example"
    assert json.loads(rows[1]["after"])["domain_name"] == "many-29.example"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_a_file_longer_than_a_batch_has_every_event_once(cast, monkeypatch):
    monkeypatch.setattr("audit.export.BATCH", 2)
    caller = Caller(make_key(cast.rita))

    written = json.loads(file_of(caller, "/audit-events/export"))

    assert [event["id"] for event in written] == [
        event["id"] for event in caller.read("/audit-events?limit=200")["data"]
    ]


def test_a_spreadsheet_takes_no_cell_for_a_formula(cast):
    create_tenant(actor_of(cast.rita), parent=cast.rita, kind=Kind.CUSTOMER, name=FORMULA)

    text = file_of(Caller(make_key(cast.rita)), "/audit-events/export?format=csv&action=tenants.create")

    rows = list(csv.DictReader(text.splitlines()))
    assert {rows[0]["account"], rows[0]["object"]} == {f"'{FORMULA}"}
