"""What holds for every endpoint alike, row by row of the table: keys, natural ids, methods."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from mailhost.api.errors import NOT_AUTHENTICATED
from mailhost.scope import every_tenant
from tenants.models import Role, Tenant
from tests.apiside import assert_problem
from tests.routes import callers
from tests.routes.cast import Cast, a_member, undone
from tests.routes.table import TABLE
from tests.webside import signed_in

pytestmark = pytest.mark.django_db

ROWS = [row for row in TABLE if row.is_api and callers.NOBODY not in row.opens_to]
NATURAL = {"domain": "acme.example", "mailbox": "anna@acme.example", "alias": "sales@acme.example"}


@pytest.fixture
def cast(db) -> Cast:
    return Cast()


@pytest.mark.parametrize("key", ["mh_live_nonsense", "x" * 5000])
def test_nonsense_gets_401_that_tells_nothing(cast, subtests, key):
    cast.clients[callers.NOBODY, True] = Client(headers={"authorization": f"Bearer {key}"})

    for row in ROWS:
        with subtests.test(str(row)):
            assert_not_authenticated(cast.call(callers.NOBODY, row))


def test_nobody_gets_401_that_says_what_is_wanted(cast, subtests):
    for row in ROWS:
        with subtests.test(str(row)):
            assert_not_authenticated(cast.call(callers.NOBODY, row))


def test_revoked_key_gets_401(cast, subtests):
    with every_tenant("a test revokes a key"):
        ApiKey.objects.update(revoked_at=timezone.now())

    for row in ROWS:
        with subtests.test(str(row)):
            assert_not_authenticated(cast.call(callers.OWNER, row))


def test_key_of_a_deleted_tenant_gets_401(cast, subtests):
    with every_tenant("a test closes a tenant"):
        Tenant.objects.filter(pk=cast.world.acme.pk).update(deleted_at=timezone.now())

    for row in ROWS:
        with subtests.test(str(row)):
            assert_not_authenticated(cast.call(callers.OWNER, row))


def test_key_of_a_suspended_tenant_gets_403_and_the_reason(cast, subtests):
    cast.suspend_acme()

    for row in ROWS:
        with subtests.test(str(row)):
            members = assert_problem(cast.call(callers.OWNER, row), 403, "account_suspended")
            assert members["detail"] == "Acme is suspended: nobody of it can sign in. Unpaid."


def test_session_of_a_browser_does_not_open_the_api(cast, subtests):
    cast.clients[callers.OWNER, True] = signed_in(a_member(cast.world.acme, Role.OWNER).user)

    for row in ROWS:
        with subtests.test(str(row)):
            assert_not_authenticated(cast.call(callers.OWNER, row))


def test_strangers_thing_is_absent_by_its_natural_key_too(cast, subtests):
    for row in ROWS:
        if row.about in NATURAL and not makes_what_is_absent(row):
            with subtests.test(str(row)):
                answer = called_by_natural_key(cast, callers.SIBLING, row, row.body if row.method == "PUT" else {})

                assert_problem(answer, 404, "not_found")


def test_putting_strangers_thing_by_its_natural_key_leaves_it_alone(cast, subtests):
    for row in ROWS:
        if row.about in NATURAL and makes_what_is_absent(row):
            with subtests.test(str(row)), undone():
                before = seen_by_owner(cast, row)
                answer = called_by_natural_key(cast, callers.SIBLING, row, row.body)

                assert answer.status_code in {201, 422}
                assert cast.reference(row.about, is_api=True) not in answer.content.decode()
                assert seen_by_owner(cast, row) == before


def test_other_methods_get_405_and_the_list_of_those_that_are_there(cast, subtests):
    for route in sorted({row.route for row in ROWS}):
        rows = [row for row in ROWS if row.route == route]
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - {row.method for row in rows}:
            with subtests.test(f"{method} {route}"):
                answer = cast.call(callers.OWNER, rows[0], method=method)

                assert_problem(answer, 405, "method_not_allowed")
                assert {row.method for row in rows} <= set(answer.headers["Allow"].split(", "))


def called_by_natural_key(cast: Cast, who: str, row: callers.Row, body):
    path = cast.address(row).replace(cast.reference(row.about, is_api=True), NATURAL[row.about])
    return cast.client(who, is_api=True).generic(row.method, path, json.dumps(body), "application/json")


def makes_what_is_absent(row: callers.Row) -> bool:
    """Whether it is a PUT of the thing itself, and not of a part of it."""
    return row.method == "PUT" and row.route.endswith(">")


def seen_by_owner(cast: Cast, row: callers.Row):
    answer = cast.call(callers.OWNER, row, method="GET")
    assert answer.status_code == 200
    return answer.json()


def assert_not_authenticated(answer) -> None:
    members = assert_problem(answer, 401, "not_authenticated")
    assert members["detail"] == NOT_AUTHENTICATED
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
