"""API keys over REST."""

import pytest

from accounts.models import ApiKey
from audit.models import Event
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key
from tests.world import a_mailbox, an_alias, verified_domain

pytestmark = pytest.mark.django_db

SCOPES = ["domains:read"]


@pytest.fixture
def cast():
    return make_cast()


def test_new_key_is_shown_once_and_works(cast):
    caller = cast.acme.caller()

    created = caller.call("POST", "/api-keys", {"name": "billing", "scopes": ["domains:read"]})

    assert created.status_code == 201
    shown = created.json()
    text = shown.pop("key")
    assert shown["tenant_id"] == f"ten_{cast.acme.tenant.uid}"
    assert shown["bound_to_id"] == shown["tenant_id"]
    assert (shown["object"], shown["name"], shown["scopes"]) == ("api_key", "billing", ["domains:read"])
    assert (shown["mode"], shown["domains"], shown["networks"], shown["expires_at"]) == ("live", [], [], None)
    assert text.startswith(f"mh_live_{shown['prefix']}_")
    assert caller.read(f"/api-keys/{shown['id']}") == shown
    assert text not in caller.call("GET", "/api-keys").content.decode()
    assert Caller(text).read("/me")["scopes"] == ["domains:read"]
    with every_tenant("a test looks at its rows"):
        assert text not in str(list(Event.objects.values()) + list(ApiKey.objects.values()))


def test_revoked_key_is_gone_and_opens_nothing(cast):
    caller = cast.acme.caller()
    created = caller.call("POST", "/api-keys", {"name": "billing", "scopes": ["domains:read"]}).json()

    assert caller.call("DELETE", f"/api-keys/{created['id']}").status_code == 204

    assert_problem(Caller(created["key"]).call("GET", "/me"), 401, "not_authenticated")
    assert_problem(caller.call("GET", f"/api-keys/{created['id']}"), 404, "not_found")
    assert created["id"] not in [row["id"] for row in caller.read("/api-keys")["data"]]


def test_key_makes_no_stronger_key(cast):
    body = {"name": "maker", "scopes": ["keys:write", "domains:read"]}
    maker = Caller(cast.acme.caller().call("POST", "/api-keys", body).json()["key"])

    answer = maker.call("POST", "/api-keys", {"name": "up", "scopes": ["mailboxes:read"]})

    assert errors_of(answer) == [("#/scopes", "invalid_scope")]


def test_key_that_makes_no_keys_says_so(cast):
    answer = cast.acme.caller(Role.MAIL_MANAGER).call("POST", "/api-keys", {"name": "more", "scopes": ["domains:read"]})

    detail = assert_problem(answer, 403, "not_permitted")["detail"]
    assert detail == "Your key does not allow keys.create, an act of the scope keys:write."


def test_reseller_makes_a_key_for_a_customer(cast):
    rita = Caller(make_key(cast.rita))

    created = rita.call(
        "POST", "/api-keys", {"name": "shop", "scopes": SCOPES, "tenant_id": f"ten_{cast.acme.tenant.uid}"}
    ).json()

    assert Caller(created["key"]).read("/me")["tenant_id"] == f"ten_{cast.acme.tenant.uid}"


@pytest.mark.parametrize("whose", ["rita", "operator", "bolt"])
def test_key_for_a_tenant_that_is_not_below_is_refused_like_for_none(cast, whose):
    tenant = cast.bolt.tenant if whose == "bolt" else getattr(cast, whose)

    for reference in (f"ten_{tenant.uid}", "ten_" + "0" * 20):
        answer = cast.acme.caller().call(
            "POST", "/api-keys", {"name": "up", "scopes": ["domains:read"], "tenant_id": reference}
        )

        assert errors_of(answer) == [("#/tenant_id", "unknown_tenant")]


def test_bounds_are_shown_and_held(cast):
    bounds = {"domains": ["acme.example"], "networks": ["127.0.0.1"], "expires_at": "2099-01-01T00:00:00Z"}
    body = {"name": "shop", "scopes": ["mailboxes:write", "domains:write"], **bounds}

    made = cast.acme.caller().call("POST", "/api-keys", body).json()

    assert made["domains"] == [{"id": f"dom_{cast.acme.domain.uid}", "name": "acme.example"}]
    assert (made["networks"], made["expires_at"]) == (["127.0.0.1/32"], "2099-01-01T00:00:00Z")
    assert Caller(made["key"]).read("/domains/acme.example")["name"] == "acme.example"


def test_a_key_for_one_domain_finds_nothing_beyond_it(cast):
    verified_domain(cast.acme.actor, "other.example")
    a_mailbox(cast.acme.actor, "otto@other.example")
    an_alias(cast.acme.actor, "info@other.example", "otto@other.example")
    scopes = ["domains:write", "mailboxes:write", "aliases:write", "records:read"]
    body = {"name": "shop", "scopes": scopes, "domains": ["acme.example"]}
    bound = Caller(cast.acme.caller().call("POST", "/api-keys", body).json()["key"])

    for path in ("/domains", "/mailboxes", "/aliases"):
        assert "other.example" not in bound.call("GET", path).content.decode(), path
        assert bound.read(path)["data"], path
    for path in ("/domains/other.example", "/mailboxes/otto@other.example", "/aliases/info@other.example"):
        assert_problem(bound.call("GET", path), 404, "not_found")
        assert_problem(bound.call("DELETE", path), 404, "not_found")
    assert_problem(bound.call("POST", "/domains", {"name": "third.example"}), 403, "not_permitted")
    new = {"password": "Grün-Kaffee-17-Lampe", "storage_quota": 5}
    assert bound.call("POST", "/mailboxes", {"email": "new@acme.example", **new}).status_code == 201
    assert errors_of(bound.call("POST", "/mailboxes", {"email": "new@other.example", **new})) == [
        ("#/email", "unknown_domain")
    ]


def test_a_test_key_has_changes_checked_and_none_done(cast):
    body = {"name": "try", "scopes": ["domains:write"], "mode": "test"}
    text = cast.acme.caller().call("POST", "/api-keys", body).json()["key"]
    trying = Caller(text)

    assert text.startswith("mh_test_")
    answer = trying.call("POST", "/domains", {"name": "new.example"})
    assert (answer.status_code, answer.headers["Dry-Run"]) == (201, "true")
    assert_problem(trying.call("GET", "/domains/new.example"), 404, "not_found")
    assert trying.call("DELETE", "/domains/acme.example").status_code == 204
    assert trying.read("/domains/acme.example")["name"] == "acme.example"
    assert errors_of(trying.call("POST", "/domains", {"name": "no name"})) == [("#/name", "invalid_domain")]
    assert trying.read("/me")["key"]["mode"] == "test"


def test_a_resellers_key_for_one_customer_reaches_no_other(cast):
    rita = Caller(make_key(cast.rita))
    body = {"name": "shop", "scopes": ["domains:write"], "bound_to_id": f"ten_{cast.acme.tenant.uid}"}
    made = rita.call("POST", "/api-keys", body).json()
    bound = Caller(made["key"])

    assert (made["tenant_id"], made["bound_to_id"]) == (f"ten_{cast.rita.uid}", f"ten_{cast.acme.tenant.uid}")
    assert [row["name"] for row in bound.read("/domains")["data"]] == ["acme.example"]
    assert bound.call("POST", "/domains", {"name": "new.example"}).json()["tenant_id"] == made["bound_to_id"]
    assert bound.read("/me")["tenant_id"] == made["bound_to_id"]
    # It is Rita's key, so Acme neither sees nor revokes it.
    assert_problem(cast.acme.caller().call("DELETE", f"/api-keys/{made['id']}"), 404, "not_found")
