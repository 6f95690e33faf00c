"""Every method of every endpoint × who calls it. A route without a row in TABLE fails."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import ApiKey
from mailhost.api.endpoint import Endpoint
from mailhost.api.errors import NOT_AUTHENTICATED
from mailhost.scope import every_tenant
from tenants.models import Kind, Role, Tenant
from tenants.operations import create_tenant
from tests.apiside import ROOT, Caller, Cast, Customer, assert_problem, make_cast, make_key
from tests.world import actor_of

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Row:
    """`names` is the kind of object that the path names; `body` is one that is accepted as to its shape."""

    method: str
    route: str
    names: str = ""
    body: Any = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


TABLE = [
    Row("GET", "me"),
    Row("GET", "server-info"),
    Row("GET", "tenants"),
    Row("POST", "tenants", body={"name": "Corvo"}),
    Row("GET", "tenants/<str:tenant>", "tenant"),
    Row("POST", "tenants/<str:tenant>/suspend", "tenant", {"reason": "Unpaid"}),
    Row("POST", "tenants/<str:tenant>/resume", "tenant"),
    Row("GET", "api-keys"),
    Row("POST", "api-keys", body={"name": "billing"}),
    Row("GET", "api-keys/<str:key>", "key"),
    Row("DELETE", "api-keys/<str:key>", "key"),
    Row("GET", "domains"),
    Row("POST", "domains", body={"name": "new.example"}),
    Row("GET", "domains/<str:domain>", "domain"),
    Row("PATCH", "domains/<str:domain>", "domain", {"enabled": False}),
    Row("DELETE", "domains/<str:domain>", "domain"),
    Row("POST", "domains/<str:domain>/verify", "domain"),
    Row("GET", "domains/<str:domain>/records", "domain"),
    Row("GET", "mailboxes"),
    Row("POST", "mailboxes", body={"email": "new@acme.example", "password": "k8Vq.river.Lamp", "storage_quota": 100}),
    Row("GET", "mailboxes/<str:mailbox>", "mailbox"),
    Row("PATCH", "mailboxes/<str:mailbox>", "mailbox", {"storage_quota": 700}),
    Row("DELETE", "mailboxes/<str:mailbox>", "mailbox"),
    Row("POST", "mailboxes/<str:mailbox>/password", "mailbox", {"password": "k8Vq.river.Lamp"}),
    Row("POST", "mailboxes/<str:mailbox>/suspend", "mailbox"),
    Row("POST", "mailboxes/<str:mailbox>/resume", "mailbox"),
    Row("POST", "mailboxes/<str:mailbox>/restore", "mailbox"),
    Row("GET", "aliases"),
    Row("POST", "aliases", body={"source": "info@acme.example", "targets": ["anna@acme.example"]}),
    Row("GET", "aliases/<str:alias>", "alias"),
    Row("PATCH", "aliases/<str:alias>", "alias", {"enabled": False}),
    Row("DELETE", "aliases/<str:alias>", "alias"),
]
# Answered to anybody, on purpose: the API's description, and that a path leads nowhere.
PUBLIC = {"api/v1/openapi.json", "api/docs", r"^api(?:/.*)?$"}
OF_OBJECTS = [row for row in TABLE if row.names]
PREFIX = {"tenant": "ten", "key": "key", "domain": "dom", "mailbox": "mbx", "alias": "als"}
OF_RESELLERS = {"tenants/<str:tenant>/suspend", "tenants/<str:tenant>/resume"}
# Of no tenant's mail: what a key for bookkeeping may read.
OF_BOOKKEEPING = {"me", "server-info", "tenants", "tenants/<str:tenant>"}
UNKNOWN_UID = "0" * 20


def discovered(patterns=None, above: str = ""):
    """Yield (path, view) of everything in the URL map."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from discovered(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def test_every_endpoint_and_method_stands_in_the_table():
    found = set()
    for path, view in discovered():
        if path.startswith(("api", "^api")) and path not in PUBLIC:
            endpoint = view.cls
            assert issubclass(endpoint, Endpoint), path
            handlers = {name.upper() for name in endpoint.http_method_names if hasattr(endpoint, name)}
            assert handlers - {"HEAD"} == set(endpoint.actions), f"{path}: each handler names its permission"
            found |= {(method, path.removeprefix("api/v1/")) for method in endpoint.actions}

    assert found == {(row.method, row.route) for row in TABLE}


@pytest.fixture
def cast():
    return make_cast()


def test_nobody_gets_401_that_tells_nothing(cast, subtests):
    for row in TABLE:
        with subtests.test(str(row)):
            for key in (None, "mh_live_nonsense", "x" * 5000):
                answer = Caller(key).call(row.method, path_of(row, cast.acme), row.body)

                members = assert_problem(answer, 401, "not_authenticated")
                assert members["detail"] == NOT_AUTHENTICATED
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_revoked_key_gets_401(cast, subtests):
    caller = cast.acme.caller()
    with every_tenant("a test revokes a key"):
        ApiKey.objects.update(revoked_at=timezone.now())

    for row in TABLE:
        with subtests.test(str(row)):
            members = assert_problem(call(caller, row, cast.acme), 401, "not_authenticated")
            assert members["detail"] == NOT_AUTHENTICATED


@pytest.mark.parametrize(
    "state", [{"may_sign_in": False}, {"deleted_at": timezone.now()}], ids=["suspended", "deleted"]
)
def test_key_of_a_tenant_that_may_not_sign_in_gets_401(cast, subtests, state):
    caller = cast.acme.caller()
    key_of(cast.acme)
    with every_tenant("a test closes a tenant"):
        Tenant.objects.filter(pk=cast.acme.tenant.pk).update(**state)

    for row in TABLE:
        with subtests.test(str(row)):
            members = assert_problem(call(caller, row, cast.acme), 401, "not_authenticated")
            assert members["detail"] == NOT_AUTHENTICATED


def test_session_of_a_browser_does_not_open_the_api(cast, subtests, client, django_user_model):
    client.force_login(django_user_model.objects.create(email="rita@rita.example"))

    for row in TABLE:
        with subtests.test(str(row)):
            assert_problem(client.generic(row.method, ROOT + path_of(row, cast.acme)), 401, "not_authenticated")


@pytest.mark.parametrize("kind", ["sibling", "other reseller"])
def test_strangers_object_is_as_absent_as_one_that_never_was(cast, subtests, kind):
    stranger = cast.bolt.caller() if kind == "sibling" else Caller(make_key(other_reseller(cast)))

    for row in OF_OBJECTS:
        with subtests.test(str(row)):
            foreign = call(stranger, row, cast.acme)
            unknown = stranger.call(row.method, path_of(row), row.body)

            # A customer may suspend nobody, so it is told that before anything is looked for.
            is_permitted = kind != "sibling" or row.route not in OF_RESELLERS
            expected = (404, "not_found") if is_permitted else (403, "not_permitted")
            assert assert_problem(foreign, *expected) | {"request_id": ""} == assert_problem(unknown, *expected) | {
                "request_id": ""
            }


def test_strangers_object_is_absent_by_its_natural_key_too(cast, subtests):
    stranger = cast.bolt.caller()
    natural = {"domain": "acme.example", "mailbox": "anna@acme.example", "alias": "sales@acme.example"}

    for row in OF_OBJECTS:
        if row.names in natural:
            before, after = row.route.split("<")
            path = f"/{before}{natural[row.names]}{after.partition('>')[2]}"
            with subtests.test(str(row)):
                assert_problem(stranger.call(row.method, path, row.body), 404, "not_found")


def test_lists_show_nothing_of_strangers(cast, subtests):
    key_of(cast.acme)
    stranger = cast.bolt.caller()

    for row in TABLE:
        if row.method == "GET" and not row.names:
            with subtests.test(str(row)):
                answer = stranger.call("GET", path_of(row))

                assert answer.status_code == 200
                assert "acme" not in answer.content.decode().lower()


def test_read_only_key_reads_and_changes_nothing(cast, subtests):
    reader = cast.acme.caller(Role.READ_ONLY)

    for row in TABLE:
        with subtests.test(str(row)):
            answer = call(reader, row, cast.acme)

            if row.method == "GET":
                assert answer.status_code == 200
            else:
                assert_problem(answer, 403, "not_permitted")


def test_billing_key_sees_no_mail(cast, subtests):
    billing = cast.acme.caller(Role.BILLING)

    for row in TABLE:
        with subtests.test(str(row)):
            answer = call(billing, row, cast.acme)

            if row.method == "GET" and row.route in OF_BOOKKEEPING:
                assert answer.status_code == 200
            else:
                assert_problem(answer, 403, "not_permitted")


def test_reseller_reaches_what_its_customers_have(cast, subtests):
    rita = Caller(make_key(cast.rita))

    for row in OF_OBJECTS:
        with subtests.test(str(row)), undone():
            answer = call(rita, row, cast.acme)

            # What the path names is there; a rule may refuse the act: nothing to resume, no proof in the DNS.
            expected = {404} if row.route.endswith("/restore") else {200, 204, 422}
            assert answer.status_code in expected, answer.content


def test_other_methods_get_405_and_the_list_of_those_that_are_there(cast, subtests):
    caller = cast.acme.caller()

    for route in sorted({row.route for row in TABLE}):
        rows = [row for row in TABLE if row.route == route]
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - {row.method for row in rows}:
            with subtests.test(f"{method} {route}"):
                answer = caller.call(method, path_of(rows[0], cast.acme))

                assert_problem(answer, 405, "method_not_allowed")
                assert {row.method for row in rows} <= set(answer.headers["Allow"].split(", "))


def other_reseller(cast: Cast) -> Tenant:
    return create_tenant(actor_of(cast.operator), parent=cast.operator, kind=Kind.RESELLER, name="Sela")


def call(caller: Caller, row: Row, customer: Customer):
    return caller.call(row.method, path_of(row, customer), row.body)


def path_of(row: Row, customer: Customer | None = None) -> str:
    """Return the row's path about a customer's object, or about one that never was."""
    if not row.names:
        return f"/{row.route}"
    uid = UNKNOWN_UID
    if customer is not None:
        uid = key_of(customer).uid if row.names == "key" else getattr(customer, row.names).uid
    before, after = row.route.split("<")
    return f"/{before}{PREFIX[row.names]}_{uid}{after.partition('>')[2]}"


def key_of(customer: Customer) -> ApiKey:
    """Return a key of the customer's that no test calls with."""
    with every_tenant("a test reads a key"):
        found = ApiKey.objects.filter(tenant=customer.tenant, role=Role.SUPPORT).first()
    if found is None:
        make_key(customer.tenant, Role.SUPPORT)
        return key_of(customer)
    return found


@contextmanager
def undone():
    """Roll back what happens inside, so that each row finds the cast as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
