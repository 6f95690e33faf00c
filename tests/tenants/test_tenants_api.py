"""Tenants over REST, and who is asking."""

import pytest

from accounts.models import ApiKey
from mailhost.api.scopes import OF_PEOPLE
from mailhost.scope import every_tenant
from tenants.models import Role
from tenants.permissions import permissions
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_customer_sees_itself_and_nobody_above(cast):
    rows = cast.acme.caller().read("/tenants")["data"]

    assert [row["name"] for row in rows] == ["Acme"]
    assert rows[0]["parent_id"] is None
    assert rows[0] == cast.acme.caller().read(f"/tenants/ten_{cast.acme.tenant.uid}")


def test_reseller_sees_its_customers_below_itself(cast):
    rows = Caller(make_key(cast.rita)).read("/tenants")["data"]

    rita = f"ten_{cast.rita.uid}"
    assert [(row["name"], row["kind"], row["parent_id"], row["status"]) for row in rows] == [
        ("Acme", "customer", rita, "active"),
        ("Bolt", "customer", rita, "active"),
        ("Rita", "reseller", None, "active"),
    ]


@pytest.mark.parametrize("above", ["rita", "operator"])
def test_tenant_above_is_as_absent_as_none(cast, above):
    answer = cast.acme.caller().call("GET", f"/tenants/ten_{getattr(cast, above).uid}")

    assert_problem(answer, 404, "not_found")


def test_me_says_who_asks_and_what_they_may(cast):
    caller = cast.acme.caller(Role.READ_ONLY)

    me = caller.read("/me")
    # What it may use and uses: test_me_api.py.
    del me["limits"], me["usage"]

    with every_tenant("a test looks at its rows"):
        key = ApiKey.objects.get(tenant=cast.acme.tenant)
    assert me == {
        "object": "me",
        "tenant_id": f"ten_{cast.acme.tenant.uid}",
        "tenant_name": "Acme",
        "tenant_kind": "customer",
        "key": {"id": f"key_{key.uid}", "name": "read_only key", "prefix": key.prefix, "mode": "live"},
        "scopes": key.scopes,
        "permissions": sorted(permissions("customer", "read_only") - OF_PEOPLE),
    }


def test_server_info_says_where_mail_programs_connect(cast, settings):
    info = cast.acme.caller().read("/server-info")

    assert info["object"] == "server_info"
    assert info["hostname"] == settings.MAILHOST_HOSTNAME
    services = {name: value for name, value in info.items() if isinstance(value, dict)}
    assert {name: value["tls"] for name, value in services.items()} == {
        "imap": "starttls",
        "imaps": "implicit",
        "pop3": "starttls",
        "pop3s": "implicit",
        "submission": "starttls",
        "submissions": "implicit",
        "managesieve": "starttls",
    }
    assert all(value["host"] == settings.MAILHOST_HOSTNAME and value["port"] for value in services.values())


def test_reseller_creates_a_customer_below_itself(cast):
    rita = Caller(make_key(cast.rita))

    created = rita.call("POST", "/tenants", {"name": "Corvo"})

    assert created.status_code == 201
    shown = created.json()
    assert (shown["name"], shown["kind"], shown["parent_id"]) == ("Corvo", "customer", f"ten_{cast.rita.uid}")
    assert created.headers["Location"] == f"/api/v1/tenants/{shown['id']}"
    assert rita.read(f"/tenants/{shown['id']}") == shown


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": " "}, ("#/name", "invalid_name")),
        ({"kind": "operator"}, ("#/kind", "invalid_kind")),
        ({"kind": "reseller"}, ("#/kind", "invalid_kind")),
        ({"parent_id": "ten_" + "0" * 20}, ("#/parent_id", "unknown_tenant")),
        ({"path": "/1/"}, ("#/path", "unknown_field")),
    ],
    ids=str,
)
def test_tenant_that_breaks_a_rule_is_refused_with_the_member_at_fault(cast, change, error):
    answer = Caller(make_key(cast.rita)).call("POST", "/tenants", {"name": "Corvo"} | change)

    assert errors_of(answer) == [error]


def test_tenant_is_created_below_nobody_but_whom_the_key_sees(cast):
    rita = Caller(make_key(cast.rita))

    answer = rita.call("POST", "/tenants", {"name": "Corvo", "parent_id": f"ten_{cast.operator.uid}"})

    assert errors_of(answer) == [("#/parent_id", "unknown_tenant")]


def test_suspended_customer_is_shut_out_and_comes_back_as_it_was(cast):
    rita, acme = Caller(make_key(cast.rita)), cast.acme.caller()
    path = f"/tenants/ten_{cast.acme.tenant.uid}"
    before = acme.read("/mailboxes")

    suspended = rita.call("POST", f"{path}/suspend", {"reason": "unpaid", "note": "The invoice of May is open."})
    closed = acme.call("GET", "/mailboxes")
    resumed = rita.call("POST", f"{path}/resume")

    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    assert_problem(closed, 403, "account_suspended")
    assert resumed.json()["status"] == "active"
    assert acme.read("/mailboxes") == before


def test_suspension_wants_a_reason_and_knows_its_blocks(cast):
    rita = Caller(make_key(cast.rita))
    path = f"/tenants/ten_{cast.acme.tenant.uid}/suspend"

    assert errors_of(rita.call("POST", path, {})) == [("#/reason", "required")]
    assert errors_of(rita.call("POST", path, {"reason": "unpaid", "blocks": ["mail"]})) == [
        ("#/blocks", "invalid_blocks")
    ]
    assert errors_of(rita.call("POST", f"/tenants/ten_{cast.rita.uid}/suspend", {"reason": "unpaid"})) == [
        ("#", "own_tenant")
    ]
