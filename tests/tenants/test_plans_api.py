"""Plans, limits and usage over REST, and what is said beforehand."""

import pytest

from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key
from tests.tenants.test_reserve import allow

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def rita(cast):
    return Caller(make_key(cast.rita))


@pytest.fixture
def small(rita):
    """Rita's plan, as the API shows it."""
    body = {"name": "Small", "limits": {"mailboxes": 2, "storage_mb": 1000}}
    return rita.call("POST", "/plans", body).json()


def acme_path(cast) -> str:
    return f"/tenants/ten_{cast.acme.tenant.uid}"


def test_a_plan_is_created_shown_changed_and_no_longer_sold(rita, small, cast):
    assert (small["object"], small["name"], small["version"], small["features"]) == ("plan", "Small", 1, [])
    assert small["limits"]["mailboxes"] == 2
    assert small["limits"]["domains"] is None
    assert small["owner_id"] == f"ten_{cast.rita.uid}"
    assert rita.read(f"/plans/{small['id']}") == small
    assert rita.read("/plans")["data"] == [small]

    changed = rita.call("PATCH", f"/plans/{small['id']}", {"limits": {"mailboxes": None, "domains": 3}}).json()
    gone = rita.call("DELETE", f"/plans/{small['id']}")

    assert changed["version"] == 2
    assert (changed["limits"]["mailboxes"], changed["limits"]["domains"]) == (None, 3)
    assert changed["limits"]["storage_mb"] == 1000
    assert gone.status_code == 204
    assert_problem(rita.call("GET", f"/plans/{small['id']}"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"limits": {"mailboxes": -1}}, ("#/limits/mailboxes", "min_value")),
        ({"limits": {"sunshine": 1}}, ("#/limits/sunshine", "unknown_field")),
        ({"features": ["flight"]}, ("#/features", "invalid_feature")),
        ({"name": "Small"}, ("#/name", "taken")),
    ],
    ids=str,
)
def test_a_plan_that_breaks_a_rule_is_refused_with_the_member_at_fault(rita, small, body, error):
    assert errors_of(rita.call("POST", "/plans", {"name": "Other"} | body)) == [error]


def test_a_customer_sees_its_plan_and_what_is_left_of_it(cast, rita, small):
    answer = rita.call("POST", f"{acme_path(cast)}/plan", {"plan_id": small["id"]})

    acme = cast.acme.caller()
    limits = {limit["name"]: limit for limit in acme.read(f"{acme_path(cast)}/limits")["limits"]}
    assert answer.json()["plan"] == {"id": small["id"], "name": "Small", "version": 1}
    assert acme.read(acme_path(cast))["plan"] == {"id": None, "name": "Small", "version": 1}
    assert limits["mailboxes"] == {"name": "mailboxes", "limited_to": 2, "used": 1, "remaining": 1}
    assert limits["storage_mb"] == {"name": "storage_mb", "limited_to": 1000, "used": 500, "remaining": 500}
    assert limits["domains"] == {"name": "domains", "limited_to": None, "used": 1, "remaining": None}


def test_a_customer_does_not_see_how_large_its_providers_pool_is(cast):
    allow(cast.rita, mailboxes=1234, messages_per_hour=77)

    limits = {row["name"]: row["limited_to"] for row in cast.acme.caller().read(f"{acme_path(cast)}/limits")["limits"]}

    assert limits["mailboxes"] is None
    assert limits["messages_per_hour"] == 77


def test_usage_is_shown_for_oneself_and_for_each_below(cast, rita):
    own = {"domains": 1, "mailboxes": 1, "aliases": 1, "storage_mb": 500}

    mine, of_acme = rita.read("/usage"), rita.read(f"{acme_path(cast)}/usage")

    assert mine["tenant_id"] == f"ten_{cast.rita.uid}"
    assert {name: mine["total"][name] for name in own} == {name: 2 * figure for name, figure in own.items()}
    assert {name: mine["own"][name] for name in own} == dict.fromkeys(own, 0)
    assert {name: of_acme["own"][name] for name in own} == own
    assert cast.acme.caller().read("/usage") == of_acme


def test_beyond_a_limit_the_answer_names_it(cast, rita, small):
    rita.call("POST", f"{acme_path(cast)}/plan", {"plan_id": small["id"]})
    body = {"email": "bert@acme.example", "password": "k8Vq.river.Lamp", "storage_quota": 501}

    answer = cast.acme.caller().call("POST", "/mailboxes", body)

    assert errors_of(answer) == [("#/storage_quota", "limit_reached")]
    assert "Acme may have 1000 MB of mailbox storage: 500 are in use" in answer.json()["detail"]


def test_a_preview_says_what_a_plan_or_a_move_would_break(cast, rita):
    tiny = rita.call("POST", "/plans", {"name": "Tiny", "limits": {"mailboxes": 0}}).json()

    plan = rita.call("POST", f"{acme_path(cast)}/preview", {"plan_id": tiny["id"]}).json()
    refused = rita.call("POST", f"{acme_path(cast)}/plan", {"plan_id": tiny["id"]})
    accepted = rita.call("POST", f"{acme_path(cast)}/plan", {"plan_id": tiny["id"], "accept_excess": True})
    move = rita.call("POST", f"{acme_path(cast)}/preview", {"parent_id": f"ten_{cast.bolt.tenant.uid}"})
    neither = rita.call("POST", f"{acme_path(cast)}/preview", {})

    assert plan == {
        "object": "preview",
        "tenant_ids": [f"ten_{cast.acme.tenant.uid}"],
        "breaches": [
            {
                "tenant_id": f"ten_{cast.acme.tenant.uid}",
                "limit": "mailboxes",
                "what": "in_use",
                "limited_to": 0,
                "amount": 1,
                "acceptable": True,
                "detail": "Acme would have 0 mailboxes, and 1 are in use.",
            }
        ],
    }
    assert errors_of(refused) == [("#/plan_id", "limit_reached")]
    assert accepted.status_code == 200
    assert errors_of(move) == [("#/kind", "invalid_kind")]
    assert errors_of(neither) == [("#", "one_of")]


def test_tenants_are_moved_to_a_plans_new_version_together(cast, rita, small):
    rita.call("POST", f"{acme_path(cast)}/plan", {"plan_id": small["id"]})
    rita.call("PATCH", f"/plans/{small['id']}", {"limits": {"mailboxes": 0}})

    preview = rita.call("POST", f"/plans/{small['id']}/preview").json()
    refused = rita.call("POST", f"/plans/{small['id']}/upgrade")
    moved = rita.call("POST", f"/plans/{small['id']}/upgrade", {"accept_excess": True})
    nobody_left = rita.call("POST", f"/plans/{small['id']}/upgrade", {"accept_excess": True})

    assert preview["tenant_ids"] == [f"ten_{cast.acme.tenant.uid}"]
    assert [breach["amount"] for breach in preview["breaches"]] == [1]
    assert errors_of(refused) == [("#/tenant_ids", "limit_reached")]
    assert moved.status_code == 200
    assert rita.read(acme_path(cast))["plan"]["version"] == 2
    assert errors_of(nobody_left) == [("#/tenant_ids", "unchanged")]


def test_the_tree_is_read_level_by_level_and_by_state(cast, rita):
    rita.call("POST", f"{acme_path(cast)}/suspend", {"reason": "spam", "note": "From a form.", "blocks": ["sending"]})
    rita.call("DELETE", f"/tenants/ten_{cast.bolt.tenant.uid}")

    def names(query: str) -> list[str]:
        return [row["name"] for row in rita.read(f"/tenants?{query}")["data"]]

    acme, bolt = rita.read(acme_path(cast)), rita.read(f"/tenants/ten_{cast.bolt.tenant.uid}")
    assert names(f"parent_id=ten_{cast.rita.uid}") == ["Acme"]
    assert names("status=suspended") == ["Acme"]
    assert names("status=active") == ["Rita"]
    assert names("status=deleted") == ["Bolt"]
    assert names("sort=-name") == ["Rita", "Acme"]
    assert (acme["status"], acme["stopped"]) == ("suspended", ["sending"])
    assert acme["suspension"] == {
        "reason": "spam",
        "note": "From a form.",
        "blocks": ["sending"],
        "since": acme["suspension"]["since"],
    }
    assert (bolt["status"], bolt["restorable_until"] > bolt["deleted_at"]) == ("deleted", True)


def test_a_deleted_customer_is_restored_and_a_customer_moved(cast, rita):
    path = f"/tenants/ten_{cast.bolt.tenant.uid}"
    rita.call("DELETE", path)
    operator = Caller(make_key(cast.operator))

    restored = rita.call("POST", f"{path}/restore")
    moved = operator.call("POST", f"{path}/move", {"parent_id": f"ten_{cast.operator.uid}"})

    assert (restored.status_code, restored.json()["status"]) == (200, "active")
    assert (moved.status_code, moved.json()["parent_id"]) == (200, f"ten_{cast.operator.uid}")
    assert_problem(rita.call("GET", path), 404, "not_found")


def test_a_suspended_customers_own_customers_do_not_read_why(cast, rita):
    Caller(make_key(cast.operator)).call(
        "POST", f"/tenants/ten_{cast.rita.uid}/suspend", {"reason": "unpaid", "blocks": ["sending"]}
    )

    acme = cast.acme.caller().read(acme_path(cast))

    assert (acme["status"], acme["stopped"], acme["suspension"]) == ("suspended", ["sending"], None)
