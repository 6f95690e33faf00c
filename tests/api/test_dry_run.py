"""`?dry_run=true` answers what would happen and changes nothing."""

import json

import pytest
from cryptography.fernet import Fernet
from django.apps import apps

from accounts.models import ApiKey
from dns.models import ZoneAccess
from mailhost.scope import every_tenant
from mailhost.vault import seal
from tenants.models import Role
from tests.apiside import errors_of, make_cast
from tests.routes import cast as routes
from tests.routes.callers import PARENT
from tests.routes.table import TABLE
from tests.world import PASSWORD_HASH

pytestmark = pytest.mark.django_db

NEW = {"email": "otto@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 5}


@pytest.fixture
def cast():
    return make_cast()


# When a key was used is noted, whatever is asked.
OF_ITSELF = {ApiKey: {"last_used_at", "last_used_address"}}


def everything() -> dict[str, list]:
    """Return the rows of every table."""
    found = {}
    with every_tenant("a test compares"):
        for table in apps.get_models():
            columns = [column.name for column in table._meta.concrete_fields]
            shown = [name for name in columns if name not in OF_ITSELF.get(table, ())]
            found[table.__name__] = list(table._base_manager.order_by("pk").values(*shown))
    return found


def test_the_answer_is_the_one_that_would_be_given(cast):
    caller = cast.acme.caller()

    dry = caller.call("POST", "/mailboxes?dry_run=true", NEW)
    real = caller.call("POST", "/mailboxes", NEW)

    invented = {"id": "", "created_at": "", "updated_at": ""}
    assert (dry.status_code, dry.json() | invented) == (real.status_code, real.json() | invented)
    assert dry.headers["Dry-Run"] == "true"
    assert "Location" not in dry.headers
    assert "Dry-Run" not in real.headers


def test_no_write_of_any_route_changes_anything(subtests):
    crawled = routes.Cast()
    rita, operator = crawled.client(PARENT, is_api=True), routes.with_key(crawled.world.operator, Role.OWNER)
    before = everything()
    for row in TABLE:
        if row.is_api and row.method != "GET":
            with subtests.test(str(row)):
                address = f"{crawled.address(row)}?dry_run=true"
                caller = rita if PARENT in row.opens_to else operator
                answer = caller.generic(
                    row.method, address, json.dumps(row.body or {}), content_type="application/json"
                )

                assert answer.status_code in {200, 201, 202, 204, 422}
    after = everything()

    assert {table for table, rows in after.items() if rows != before[table]} == set()


def test_what_would_be_refused_is_refused(cast):
    answer = cast.acme.caller().call("POST", "/mailboxes?dry_run=true", NEW | {"email": "anna@acme.example"})

    assert errors_of(answer) == [("#/email", "taken")]


def test_a_rehearsal_keeps_no_idempotency_key(cast):
    caller = cast.acme.caller()
    headers = {"idempotency-key": "order-4711"}

    caller.call("POST", "/mailboxes?dry_run=true", NEW, headers=headers)
    real = caller.call("POST", "/mailboxes", NEW, headers=headers)

    assert real.status_code == 201
    assert "Idempotency-Replayed" not in real.headers


@pytest.mark.parametrize("value", ["yes", "1", "", "True"])
def test_anything_but_true_and_false_is_refused(cast, value):
    answer = cast.acme.caller().call("POST", f"/mailboxes?dry_run={value}", NEW)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "dry_run"


def test_reading_knows_no_rehearsal(cast):
    assert cast.acme.caller().call("GET", "/domains?dry_run=true").status_code == 400


def test_a_rehearsal_of_taking_back_says_that_there_is_nothing(cast, settings):
    settings.MAILHOST_VAULT_KEYS = [Fernet.generate_key().decode()]
    key = {"key_name": "acme", "algorithm": "hmac-sha256", "sealed_secret": seal("c2VjcmV0")}
    caller, path = cast.acme.caller(), "/domains/acme.example/publish/undo?dry_run=true"

    unconnected = caller.call("POST", path)
    with every_tenant("the test connects a zone"):
        ZoneAccess.objects.create(domain=cast.acme.domain, server="127.0.0.1", zone="acme.example", **key)
    unpublished = caller.call("POST", path)

    assert errors_of(unconnected) == [("#", "not_connected")]
    assert errors_of(unpublished) == [("#", "nothing_to_undo")]
