"""What opens the API, and what remains of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.api_keys import find_key
from accounts.models import ApiKey
from mailhost.scope import NoScope, every_tenant
from tenants.models import Tenant
from tests.apiside import Caller, assert_problem, make_cast, make_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def stored(key: str) -> ApiKey:
    with every_tenant("a test looks at its rows"):
        return ApiKey.objects.get(prefix=keys.read(key)[0])


def set_last_use(key: str, at) -> None:
    with every_tenant("a test sets the clock back"):
        ApiKey.objects.filter(pk=stored(key).pk).update(last_used_at=at)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_opens_the_api(cast, scheme):
    answer = Caller().call("GET", "/me", headers={"authorization": f"{scheme} {make_key(cast.acme.tenant)}"})

    assert answer.status_code == 200


def test_whatever_else_is_sent_opens_nothing(cast, subtests):
    key = make_key(cast.acme.tenant)
    prefix, _ = keys.read(key)
    other = make_key(cast.bolt.tenant)
    wrong = {
        "another scheme": f"Basic {key}",
        "no scheme": key,
        "only the scheme": "Bearer",
        "a second word": f"Bearer {key} {key}",
        "the prefix": f"Bearer {prefix}",
        "a typing error": f"Bearer {key[:-1]}{'0' if key[-1] != '0' else '1'}",
        "another key's secret": f"Bearer mh_live_{prefix}_{keys.read(other)[1]}" + key[-6:],
        "upper case": f"Bearer {key.upper()}",
        "the digest": f"Bearer mh_live_{prefix}_{stored(key).digest}",
        "bytes beyond ASCII": f"Bearer {key}é",
        "very much": f"Bearer {'x' * 100_000}",
    }

    for name, header in wrong.items():
        with subtests.test(name):
            answer = Caller().call("GET", "/me", headers={"authorization": header})

            assert_problem(answer, 401, "not_authenticated")


def test_right_form_with_a_wrong_secret_opens_nothing(cast):
    key = make_key(cast.acme.tenant)
    with every_tenant("a test changes a key"):
        ApiKey.objects.filter(pk=stored(key).pk).update(digest=keys.digest("0" * 32))

    assert_problem(Caller(key).call("GET", "/me"), 401, "not_authenticated")


def test_key_is_found_with_one_query_by_an_index(cast):
    header = f"Bearer {make_key(cast.acme.tenant)}".encode()

    with CaptureQueriesContext(connection) as captured:
        key = find_key(header)

    assert len(captured) == 1
    assert key.tenant == cast.acme.tenant
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        columns = [column[0] for column in cursor.description]
        plan = [dict(zip(columns, row, strict=True)) for row in cursor]
    # The last two are the customer that a key may be bound to, and who made it from above: none here.
    assert [row["type"] for row in plan[:4]] == ["const"] * 4
    # Who limits its requests: the ids on the tenant's path, which are no table, and a probe for each.
    assert [(row["table"], row["type"]) for row in plan[4:]] == [("link", "ALL"), ("holder", "eq_ref")]


def test_nonsense_costs_no_query(cast):
    with CaptureQueriesContext(connection) as captured:
        Caller("mh_live_nonsense").call("GET", "/me")

    assert captured.captured_queries == []


def test_use_is_noted_at_most_once_a_minute(cast):
    key = make_key(cast.acme.tenant)
    caller = Caller(key)
    assert stored(key).last_used_at is None

    caller.read("/me")
    first = stored(key).last_used_at
    caller.read("/me")
    assert stored(key).last_used_at == first
    assert timezone.now() - first < timedelta(seconds=30)

    set_last_use(key, first - timedelta(seconds=61))
    caller.read("/me")
    assert stored(key).last_used_at >= first


def test_key_that_opens_nothing_is_not_noted_as_used(cast):
    key = make_key(cast.acme.tenant)
    with every_tenant("a test revokes a key"):
        ApiKey.objects.filter(pk=stored(key).pk).update(revoked_at=timezone.now())

    Caller(key).call("GET", "/me")

    assert stored(key).last_used_at is None


@pytest.mark.parametrize("path", ["/domains", "/domains/nobody.example", "/nothing", "/domains?limit=0"])
def test_scope_ends_with_the_request(cast, path):
    cast.acme.caller().call("GET", path)

    with pytest.raises(NoScope):
        ApiKey.objects.count()


@pytest.mark.parametrize(
    "state",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now()},
        {"networks": ["192.0.2.0/24"]},
        {"digest": "0" * 64},
    ],
    ids=["revoked", "expired", "foreign network", "wrong secret"],
)
def test_keys_that_open_nothing_are_answered_alike(cast, state):
    key = make_key(cast.acme.tenant)
    Caller(key).read("/me")
    with every_tenant("a test changes a key"):
        ApiKey.objects.filter(pk=stored(key).pk).update(**state)

    answer = Caller(key).call("GET", "/me")

    nothing = Caller("mh_live_nonsense").call("GET", "/me")
    assert assert_problem(answer, 401, "not_authenticated") | {"request_id": ""} == nothing.json() | {"request_id": ""}


def test_a_key_bound_to_a_suspended_or_moved_customer_opens_nothing(cast):
    rita = Caller(make_key(cast.rita))
    body = {"name": "shop", "scopes": ["domains:read"], "bound_to_id": f"ten_{cast.acme.tenant.uid}"}
    bound = Caller(rita.call("POST", "/api-keys", body).json()["key"])
    assert bound.read("/domains")["data"]
    acme = Tenant._base_manager.filter(pk=cast.acme.tenant.pk)

    acme.update(may_sign_in=False)
    assert_problem(bound.call("GET", "/domains"), 403, "account_suspended")
    acme.update(may_sign_in=True, path=f"/{cast.operator.pk}/{cast.acme.tenant.pk}/")
    assert_problem(bound.call("GET", "/domains"), 401, "not_authenticated")
    acme.update(path=cast.acme.tenant.path)
    assert bound.read("/domains")["data"]


@pytest.mark.parametrize(
    "state", [{"revoked_at": timezone.now()}, {"digest": "0" * 64}, {"networks": ["192.0.2.0/24"]}]
)
def test_of_a_suspension_only_a_key_that_would_open_hears(cast, state):
    key = make_key(cast.acme.tenant)
    Tenant._base_manager.filter(pk=cast.acme.tenant.pk).update(may_sign_in=False)
    assert_problem(Caller(key).call("GET", "/me"), 403, "account_suspended")
    with every_tenant("a test changes a key"):
        ApiKey.objects.filter(pk=stored(key).pk).update(**state)

    assert_problem(Caller(key).call("GET", "/me"), 401, "not_authenticated")


def test_the_use_says_from_where(cast):
    key = make_key(cast.acme.tenant)

    Caller(key).call("GET", "/me", REMOTE_ADDR="2001:db8::7")

    assert stored(key).last_used_address == "2001:db8::7"


def test_authentication_costs_at_most_two_statements(cast):
    key = make_key(cast.acme.tenant)

    for most in (2, 1):
        with CaptureQueriesContext(connection) as captured:
            Caller(key).call("GET", "/server-info")
        assert len(captured) == most, captured.captured_queries
