"""An alias keeps its id for life: programs have stored it, and each change is told and recorded under it."""

import json

import pytest

from audit.models import Event
from dns.records import challenge_name, challenge_value
from domains.operations import delete_domain
from domains.removal_operations import restore_domain
from mailboxes.alias_operations import delete_alias, set_alias_enabled
from mailboxes.models import Alias
from mailhost.scope import every_tenant
from tests.apiside import make_cast
from tests.dns.conftest import dns_server  # noqa: F401 - a fixture
from tests.routes.cast import a_member
from tests.webside import signed_in
from tests.world import an_alias, fresh
from webhooks.models import Delivery
from webhooks.operations import create_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def caller(cast):
    return cast.acme.caller()


@pytest.fixture
def listening(cast):
    create_endpoint(cast.acme.actor, url="https://hooks.elsewhere.example/in")
    return cast


def told() -> list[tuple[str, str, str]]:
    """Return (type, id, name) of every delivery."""
    with every_tenant("a test reads the outbox"):
        rows = Delivery.objects.select_related("message").order_by("pk")
        found = [(row.message.type, json.loads(row.message.body)["data"]) for row in rows]
    return [(event_type, data["id"], data["name"]) for event_type, data in found]


def rows_of(source: str) -> list[Alias]:
    with every_tenant("a test looks at its rows"):
        return list(Alias.objects.filter(alias_email=source).order_by("pk"))


@pytest.mark.parametrize(
    "targets",
    [["new@partner.example"], ["x@partner.example"], ["new@partner.example", "x@partner.example"]],
    ids=["all others", "one less", "one for another"],
)
def test_other_targets_make_no_other_alias(caller, targets):
    before = caller.read("/aliases/sales@acme.example")

    changed = caller.call("PATCH", f"/aliases/{before['id']}", {"targets": targets}).json()

    assert changed == before | {"targets": targets, "updated_at": changed["updated_at"]}
    assert caller.read(f"/aliases/{before['id']}") == changed


def test_a_target_that_goes_on_a_page_leaves_the_id_to_the_next(cast, caller):
    before = caller.read("/aliases/sales@acme.example")

    delete_alias(cast.acme.actor, alias=cast.acme.alias)

    after = caller.read(f"/aliases/{before['id']}")
    assert (after["targets"], after["created_at"]) == (["x@partner.example"], before["created_at"])


def test_a_domain_that_comes_back_brings_aliases_under_their_ids(cast, caller, dns_server):  # noqa: F811 - the fixture
    dns_server.says_text(challenge_name("acme.example"), challenge_value(cast.acme.domain.challenge))
    an_alias(cast.acme.actor, "team@acme.example", "z@partner.example", "a@partner.example")
    caller.call("PATCH", "/aliases/sales@acme.example", {"targets": ["x@partner.example", "a@partner.example"]})
    before = caller.read("/aliases")["data"]

    delete_domain(cast.acme.actor, domain=cast.acme.domain)
    restore_domain(cast.acme.actor, domain=fresh(cast.acme.domain))

    assert [row["id"] for row in caller.read("/aliases")["data"]] == [row["id"] for row in before]


def test_the_record_finds_every_change_of_an_alias_by_its_id(caller):
    made = {"source": "team@acme.example", "targets": ["z@partner.example", "a@partner.example"]}
    alias = caller.call("POST", "/aliases", made).json()
    caller.call("PATCH", f"/aliases/{alias['id']}", {"enabled": False})
    caller.call("PATCH", f"/aliases/{alias['id']}", {"targets": ["b@partner.example"]})
    caller.call("DELETE", f"/aliases/{alias['id']}")

    events = caller.read(f"/audit-events?target={alias['id']}&sort=-newest")["data"]

    assert [event["action"] for event in events] == ["aliases.create", *["aliases.update"] * 2, "aliases.delete"]
    assert {event["target"]["id"] for event in events} == {alias["id"]}


def test_what_becomes_of_one_target_is_told_of_the_alias(listening):
    first, second = rows_of("sales@acme.example")
    actor, name = listening.acme.actor, "sales@acme.example"

    an_alias(actor, name, "y@partner.example")
    set_alias_enabled(actor, alias=second, enabled=False)
    delete_alias(actor, alias=first)
    while left := rows_of(name):
        delete_alias(actor, alias=left[0])

    alias = f"als_{first.uid}"
    assert told() == [*[("alias.updated", alias, name)] * 4, ("alias.deleted", alias, name)]


def test_a_batch_tells_of_new_aliases_and_of_new_targets(listening):
    items = [
        {"source": source, "targets": ["y@partner.example"]} for source in ("sales@acme.example", "*@acme.example")
    ]

    caller, before = listening.acme.caller(), len(told())
    made = caller.call("POST", "/aliases/batch", {"mode": "atomic", "items": items}).json()

    ids = [row["object"]["id"] for row in made["data"]]
    assert told()[before:] == [
        ("alias.created", ids[1], "*@acme.example"),
        ("alias.updated", ids[0], "sales@acme.example"),
    ]


def test_a_state_tells_of_each_alias_once(listening):
    caller = listening.acme.caller()
    an_alias(listening.acme.actor, "team@acme.example", "z@partner.example", "a@partner.example")
    ids = {row["source"]: row["id"] for row in caller.read("/aliases")["data"]}
    wanted = {"aliases": [{"source": "sales@acme.example", "targets": ["b@partner.example", "c@partner.example"]}]}
    before = len(told())

    assert caller.call("PUT", "/state?deletes=true", wanted).status_code == 200

    assert told()[before:] == [
        ("alias.deleted", ids["team@acme.example"], "team@acme.example"),
        ("alias.updated", ids["sales@acme.example"], "sales@acme.example"),
    ]
    with every_tenant("a test reads the record"):
        acts = list(Event.objects.order_by("-pk").values_list("action", flat=True)[:3])
    assert acts == ["state.apply", "aliases.update", "aliases.delete"]


def test_a_button_that_was_shown_for_another_target_does_nothing(cast, caller, plain_static):
    browser = signed_in(a_member(cast.acme.tenant, "owner").user)
    row = cast.acme.alias
    caller.call("PATCH", "/aliases/sales@acme.example", {"targets": ["new@partner.example"]})

    for act in ("delete", "disable"):
        answer = browser.post(f"/aliases/{row.uid}/{act}/", {"target": row.destination_email}, follow=True)
        assert "was changed meanwhile" in answer.content.decode()

    shown = caller.read("/aliases/sales@acme.example")
    assert (shown["targets"], shown["enabled"]) == (["new@partner.example"], True)
