"""API keys over REST."""

import pytest

from accounts.models import ApiKey
from audit.models import Event
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_new_key_is_shown_once_and_works(cast):
    caller = cast.acme.caller()

    created = caller.call("POST", "/api-keys", {"name": "billing", "role": "read_only"})

    assert created.status_code == 201
    shown = created.json()
    text = shown.pop("key")
    assert shown["tenant_id"] == f"ten_{cast.acme.tenant.uid}"
    assert (shown["object"], shown["name"], shown["role"]) == ("api_key", "billing", "read_only")
    assert text.startswith(f"mh_live_{shown['prefix']}_")
    assert caller.read(f"/api-keys/{shown['id']}") == shown
    assert text not in caller.call("GET", "/api-keys").content.decode()
    assert Caller(text).read("/me")["role"] == "read_only"
    with every_tenant("a test looks at its rows"):
        assert text not in str(list(Event.objects.values()) + list(ApiKey.objects.values()))


def test_revoked_key_is_gone_and_opens_nothing(cast):
    caller = cast.acme.caller()
    created = caller.call("POST", "/api-keys", {"name": "billing"}).json()

    assert caller.call("DELETE", f"/api-keys/{created['id']}").status_code == 204

    assert_problem(Caller(created["key"]).call("GET", "/me"), 401, "not_authenticated")
    assert_problem(caller.call("GET", f"/api-keys/{created['id']}"), 404, "not_found")
    assert created["id"] not in [row["id"] for row in caller.read("/api-keys")["data"]]


def test_key_makes_no_stronger_key(cast):
    answer = cast.acme.caller(Role.ADMIN).call("POST", "/api-keys", {"name": "up", "role": "owner"})

    assert errors_of(answer) == [("#/role", "invalid_role")]


def test_key_that_makes_no_keys_says_so(cast):
    answer = cast.acme.caller(Role.MAIL_MANAGER).call("POST", "/api-keys", {"name": "more"})

    assert_problem(answer, 403, "not_permitted")


def test_reseller_makes_a_key_for_a_customer(cast):
    rita = Caller(make_key(cast.rita))

    created = rita.call("POST", "/api-keys", {"name": "shop", "tenant_id": f"ten_{cast.acme.tenant.uid}"}).json()

    assert Caller(created["key"]).read("/me")["tenant_id"] == f"ten_{cast.acme.tenant.uid}"


@pytest.mark.parametrize("whose", ["rita", "operator", "bolt"])
def test_key_for_a_tenant_that_is_not_below_is_refused_like_for_none(cast, whose):
    tenant = cast.bolt.tenant if whose == "bolt" else getattr(cast, whose)

    for reference in (f"ten_{tenant.uid}", "ten_" + "0" * 20):
        answer = cast.acme.caller().call("POST", "/api-keys", {"name": "up", "tenant_id": reference})

        assert errors_of(answer) == [("#/tenant_id", "unknown_tenant")]
