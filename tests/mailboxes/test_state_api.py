"""A tenant's whole state as one document: read, planned, applied."""

from copy import deepcopy

import pytest

from audit.models import Event
from mailboxes.models import Alias, Mailbox
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key
from tests.world import PASSWORD_HASH, verified_domain


@pytest.fixture
def cast(db):
    return make_cast()


@pytest.fixture
def caller(cast) -> Caller:
    return cast.acme.caller()


def done(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.content
    return [(change["action"], change["name"]) for change in answer.json()["changes"]]


def facts() -> list:
    with every_tenant("a test looks at the rows"):
        return [list(model.objects.order_by("pk").values()) for model in (Mailbox, Alias, Event)]


WANTED = {
    "domains": [{"name": "acme.example"}],
    "mailboxes": [
        {"email": "anna@acme.example", "display_name": "Anna", "storage_quota": 700, "pop3_enabled": False},
        {"email": "Bert@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 10, "enabled": False},
        {"email": "carl@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 10, "keeps_copy": False},
    ],
    "aliases": [
        {"source": "sales@acme.example", "targets": ["carl@acme.example", "anna@acme.example"]},
        {"source": "*@acme.example", "targets": ["anna@acme.example"], "enabled": False},
        {"source": "carl@acme.example", "targets": ["carl@elsewhere.example"]},
    ],
}


def test_the_state_is_what_there_is_without_what_lies_below(cast, caller):
    state = caller.read("/state")

    assert state == {
        "object": "state",
        "tenant_id": f"ten_{cast.acme.tenant.uid}",
        "domains": [{"name": "acme.example", "alias_of": None, "enabled": True}],
        "mailboxes": [
            {
                "email": "anna@acme.example",
                "display_name": "",
                "storage_quota": 500,
                "enabled": True,
                "receives_enabled": True,
                "sends_enabled": True,
                "imap_enabled": True,
                "pop3_enabled": True,
                "managesieve_enabled": True,
                "keeps_copy": True,
            }
        ],
        "aliases": [
            {"source": "sales@acme.example", "targets": ["anna@acme.example", "x@partner.example"], "enabled": True}
        ],
    }
    assert Caller(make_key(cast.rita)).read("/state")["mailboxes"] == []


def test_what_was_read_changes_nothing_when_it_is_sent_back(caller):
    state = caller.read("/state")
    before = caller.read("/mailboxes")

    assert done(caller.call("PUT", "/state?deletes=true", state)) == []
    assert caller.read("/mailboxes") == before


def test_the_plan_says_what_would_be_done_and_does_nothing(caller):
    before = facts()

    answer = caller.call("PUT", "/state?dry_run=true", WANTED)

    assert done(answer) == [
        ("create", "bert@acme.example"),
        ("create", "carl@acme.example"),
        ("change", "anna@acme.example"),
        ("create", "*@acme.example"),
        ("create", "carl@acme.example"),
        ("change", "sales@acme.example"),
    ]
    assert answer.json()["changes"][2]["values"] == {
        "display_name": "Anna",
        "storage_quota": 700,
        "pop3_enabled": False,
    }
    assert answer.headers["Dry-Run"] == "true"
    assert "6$mailhosttests" not in answer.content.decode()
    assert facts() == before


def test_applied_it_is_so_and_applied_again_nothing_is_left_to_do(caller):
    planned = done(caller.call("PUT", "/state?dry_run=true", WANTED))

    applied = done(caller.call("PUT", "/state", WANTED))
    state = caller.read("/state")
    after = facts()
    again = done(caller.call("PUT", "/state", WANTED))

    assert (applied, again) == (planned, [])
    boxes = {box["email"]: box for box in state["mailboxes"]}
    assert (boxes["anna@acme.example"]["storage_quota"], boxes["anna@acme.example"]["pop3_enabled"]) == (700, False)
    assert (boxes["bert@acme.example"]["enabled"], boxes["carl@acme.example"]["keeps_copy"]) == (False, False)
    assert state["aliases"] == [
        {"source": "*@acme.example", "targets": ["anna@acme.example"], "enabled": False},
        {"source": "carl@acme.example", "targets": ["carl@elsewhere.example"], "enabled": True},
        {"source": "sales@acme.example", "targets": ["anna@acme.example", "carl@acme.example"], "enabled": True},
    ]
    assert facts()[:2] == after[:2]


def test_nothing_is_deleted_unless_asked_for(caller):
    wanted = {"mailboxes": [], "aliases": []}
    before = facts()

    refused = caller.call("PUT", "/state", wanted)
    planned = done(caller.call("PUT", "/state?dry_run=true", wanted))

    assert errors_of(refused) == [("#", "deletes_refused")]
    assert planned == [("delete", "sales@acme.example"), ("delete", "anna@acme.example")]
    assert facts() == before
    assert done(caller.call("PUT", "/state?deletes=true", wanted)) == planned
    assert (caller.read("/state")["mailboxes"], caller.read("/state")["aliases"]) == ([], [])


def test_a_domain_goes_with_all_that_is_in_it_and_the_plan_says_so(caller):
    answer = caller.call("PUT", "/state?deletes=true", {"domains": []})

    assert done(answer) == [
        ("delete", "sales@acme.example"),
        ("delete", "anna@acme.example"),
        ("delete", "acme.example"),
    ]


def test_what_one_part_refuses_leaves_all_as_it_was(caller):
    wanted = deepcopy(WANTED)
    wanted["aliases"].append({"source": "team@acme.example", "targets": ["team@acme.example"]})
    before = facts()

    answer = caller.call("PUT", "/state", wanted)

    assert errors_of(answer) == [("#/aliases/3/targets", "alias_loop")]
    assert facts() == before


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (
            {"mailboxes": [{"email": "a@acme.example"}, {"email": "A@ACME.example"}]},
            ("#/mailboxes/1/email", "given_twice"),
        ),
        ({"mailboxes": [{"email": "a@bolt.example"}]}, ("#/mailboxes/0/email", "unknown_domain")),
        (
            {"mailboxes": [{"email": "new@acme.example", "password_hash": PASSWORD_HASH}]},
            ("#/mailboxes/0/storage_quota", "required"),
        ),
        (
            {"mailboxes": [{"email": "new@acme.example", "storage_quota": 1}]},
            ("#/mailboxes/0/password", "password_required"),
        ),
        (
            {"mailboxes": [{"email": "new@acme.example", "storage_quota": 0, "password_hash": PASSWORD_HASH}]},
            ("#/mailboxes/0/storage_quota", "invalid_quota"),
        ),
        ({"domains": [{"name": "acme.example", "alias_of": "b.example"}]}, ("#/domains/0/alias_of", "fixed")),
        ({"domains": [{"name": "no domain"}]}, ("#/domains/0/name", "invalid_domain")),
        ({"aliases": [{"source": "x@acme.example", "targets": ["y"]}]}, ("#/aliases/0/targets/0", "invalid_address")),
        ({"aliases": [{"source": "x@acme.example", "targets": []}]}, ("#/aliases/0/targets", "empty")),
        ({"mailboxes": [{"email": "anna@acme.example", "quota": 1}]}, ("#/mailboxes/0/quota", "unknown_field")),
        ({"people": []}, ("#/people", "unknown_field")),
    ],
)
def test_what_cannot_be_is_refused_by_its_place(caller, wanted, error):
    wanted.setdefault("domains", [{"name": "acme.example"}])
    if "mailboxes" in wanted:
        wanted["mailboxes"] = [
            *wanted["mailboxes"],
            *([] if "anna" in str(wanted) else [{"email": "anna@acme.example"}]),
        ]

    assert errors_of(caller.call("PUT", "/state", wanted)) == [error]


def test_a_reseller_applies_the_state_of_a_customer(cast):
    rita = Caller(make_key(cast.rita))
    tenant = f"ten_{cast.acme.tenant.uid}"

    answer = rita.call("PUT", f"/state?tenant={tenant}", {"domains": [{"name": "acme.example"}, {"name": "b.example"}]})

    assert done(answer) == [("create", "b.example")]
    assert [row["name"] for row in cast.acme.caller().read("/state")["domains"]] == ["acme.example", "b.example"]
    assert rita.read("/state")["domains"] == []


def test_a_stranger_reads_and_applies_nothing(cast):
    tenant = f"ten_{cast.acme.tenant.uid}"

    for method in ("GET", "PUT"):
        answer = cast.bolt.caller().call(method, f"/state?tenant={tenant}", {} if method == "PUT" else "")
        assert assert_problem(answer, 400, "invalid_parameter")["errors"][0]["code"] == "unknown_tenant"


def test_the_document_of_another_is_not_taken_for_ones_own(cast):
    state = cast.acme.caller().read("/state")

    answer = Caller(make_key(cast.rita)).call("PUT", "/state?deletes=true", state)

    assert assert_problem(answer, 400, "invalid_parameter")["errors"][0]["code"] == "other_tenant"


def test_an_alias_domain_is_made_after_and_deleted_before_its_main_domain(cast, caller):
    verified_domain(cast.acme.actor, "second.example", alias_of=cast.acme.domain)
    present = caller.read("/state")

    assert present["domains"] == [
        {"name": "acme.example", "alias_of": None, "enabled": True},
        {"name": "second.example", "alias_of": "acme.example", "enabled": True},
    ]
    assert [name for _, name in done(caller.call("PUT", "/state?deletes=true", {"domains": []}))][-2:] == [
        "second.example",
        "acme.example",
    ]


def test_who_may_only_read_plans_nothing(cast):
    reader = cast.acme.caller(Role.READ_ONLY)

    assert_problem(reader.call("PUT", "/state?dry_run=true", WANTED), 403, "not_permitted")
    assert reader.read("/state")["object"] == "state"
