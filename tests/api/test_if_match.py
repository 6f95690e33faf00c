"""If-Match: nobody overwrites what they have not seen."""

import json
import re

import pytest
from django.utils import timezone

from dns.models import DmarcPolicy
from mailboxes.models import QuotaUsage
from mailhost.api.schema import document
from mailhost.scope import tenant_scope
from tenants.models import Role
from tests.apiside import ROOT, Caller, assert_problem, make_cast, make_key
from tests.routes import cast as routes
from tests.routes.callers import PARENT
from tests.routes.table import TABLE
from tests.world import PASSWORD_HASH, an_alias

pytestmark = pytest.mark.django_db

OBJECTS = {
    "/domains/acme.example": {"enabled": False},
    "/mailboxes/anna@acme.example": {"display_name": "Anna"},
    "/aliases/sales@acme.example": {"enabled": False},
}


@pytest.fixture
def acme():
    return make_cast().acme


def etag(caller, path: str) -> str:
    return caller.call("GET", path).headers["ETag"]


@pytest.mark.parametrize("path", OBJECTS)
def test_an_object_has_a_strong_etag_that_lasts_until_it_changes(acme, path):
    caller = acme.caller()
    first, again = etag(caller, path), etag(caller, path)

    changed = caller.call("PATCH", path, OBJECTS[path])

    assert first == again
    assert first.startswith('"')
    assert changed.headers["ETag"] == etag(caller, path) != first


@pytest.mark.parametrize("path", OBJECTS)
def test_a_change_of_what_was_read_is_made(acme, path):
    caller = acme.caller()

    for tags in (etag(caller, path), f'"other", {etag(caller, path)}', "*"):
        answer = caller.call("PATCH", path, {}, headers={"if-match": tags})

        assert answer.status_code == 200


@pytest.mark.parametrize("path", OBJECTS)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_of_what_is_no_longer_so_is_refused(acme, path, method):
    caller = acme.caller()
    read = etag(caller, path)
    caller.call("PATCH", path, OBJECTS[path])
    before = caller.read(path)

    answer = caller.call(method, path, {} if method == "PATCH" else "", headers={"if-match": read})

    assert_problem(answer, 412, "precondition_failed")
    assert caller.read(path) == before


@pytest.mark.parametrize("tag", ['"nonsense"', "", 'W/"x"'])
def test_a_tag_that_was_never_given_out_matches_nothing(acme, tag):
    answer = acme.caller().call("PATCH", "/domains/acme.example", {"enabled": False}, headers={"if-match": tag})

    assert_problem(answer, 412, "precondition_failed")


@pytest.mark.parametrize("act", ["suspend", "password"])
def test_an_act_on_a_mailbox_takes_the_mailboxs_tag(acme, act):
    caller, path = acme.caller(), "/mailboxes/anna@acme.example"
    body = {"password": "Grün-Kaffee-17-Lampe"} if act == "password" else ""
    read = etag(caller, path)
    caller.call("PATCH", path, {"display_name": "Anna"})

    assert_problem(caller.call("POST", f"{path}/{act}", body, headers={"if-match": read}), 412, "precondition_failed")
    again = caller.call("POST", f"{path}/{act}", body, headers={"if-match": etag(caller, path)})
    assert again.status_code < 300


def test_new_mail_does_not_get_in_the_way_of_a_change(acme):
    caller, path = acme.caller(), "/mailboxes/anna@acme.example"
    read = etag(caller, path)
    QuotaUsage.objects.create(username="anna@acme.example", bytes=5_000_000)

    assert etag(caller, path) == read


def test_one_more_target_changes_an_aliass_tag(acme):
    caller, path = acme.caller(), "/aliases/sales@acme.example"
    read = etag(caller, path)

    an_alias(acme.actor, "sales@acme.example", "y@partner.example")

    assert etag(caller, path) != read


def test_a_strangers_object_is_not_there_whatever_tag_is_sent(acme):
    answer = acme.caller().call("PATCH", "/domains/bolt.example", {"enabled": False}, headers={"if-match": "*"})

    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("path", "body"), [("/domains", {"name": "new.example"}), ("/domains/acme.example/dkim-keys", {})]
)
def test_a_condition_on_what_is_no_single_object_is_refused(acme, path, body):
    answer = acme.caller().call("POST", path, body, headers={"if-match": "*"})

    assert_problem(answer, 400, "malformed_request")


# What there is one of in its place: no id, and yet an object that is read and changed.
SINGLE = {
    "/domains/acme.example/mta-sts": {"mode": "testing"},
    "/domains/acme.example/reports/dmarc": {"policy": "none"},
    "/state": {"mailboxes": [{"email": "anna@acme.example", "display_name": "Anna"}]},
}


@pytest.mark.parametrize("path", SINGLE)
def test_an_object_without_an_id_is_changed_as_it_was_read(acme, settings, path):
    settings.MAILHOST_SETUP_HOST = "setup.example.net"
    with tenant_scope(acme.tenant.path):
        DmarcPolicy.objects.create(domain=acme.domain, policy="quarantine", since=timezone.now())
    caller = acme.caller()
    read = etag(caller, path)

    stale = caller.call("PUT", path, SINGLE[path], headers={"if-match": '"stale"'})
    made = caller.call("PUT", path, SINGLE[path], headers={"if-match": read})
    again = caller.call("PUT", path, SINGLE[path], headers={"if-match": read})

    assert_problem(stale, 412, "precondition_failed")
    assert made.status_code == 200, made.content
    assert_problem(again, 412, "precondition_failed")
    assert etag(caller, path) != read


MADE = {
    "/domains": {"name": "new.example"},
    "/mailboxes": {"email": "otto@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 5},
    "/aliases": {"source": "info@acme.example", "targets": ["anna@acme.example", "a@partner.example"]},
    "/api-keys": {"name": "shop", "scopes": ["domains:read"]},
    "/invitations": {"email": "otto@elsewhere.example", "role": "support"},
    "/webhook-endpoints": {"url": "https://hooks.acme.example/in"},
    "/mailboxes/anna@acme.example/app-passwords": {"name": "Phone"},
    "/domains/acme.example/denied-addresses": {"address": "spam"},
}


@pytest.mark.parametrize("path", MADE)
def test_what_was_just_made_has_the_etag_that_reading_it_gives(acme, path):
    caller = acme.caller()

    made = caller.call("POST", path, MADE[path])

    assert made.status_code == 201, made.content
    assert made.headers["ETag"] == etag(caller, made.headers["Location"].removeprefix(ROOT))


def test_what_a_reseller_makes_has_the_etag_that_reading_it_gives():
    rita = Caller(make_key(make_cast().rita))

    for path, body in (("/plans", {"name": "Small", "limits": {"mailboxes": 5}}), ("/tenants", {"name": "Shop"})):
        made = rita.call("POST", path, body)

        assert made.status_code == 201, made.content
        assert made.headers["ETag"] == etag(rita, made.headers["Location"].removeprefix(ROOT))


def test_every_change_that_the_document_says_takes_a_tag_refuses_a_stale_one_and_no_other_takes_any(subtests):
    crawled = routes.Cast()
    rita, operator = crawled.client(PARENT, is_api=True), routes.with_key(crawled.world.operator, Role.OWNER)
    described = document()["paths"]
    for row in TABLE:
        if row.is_api and row.method != "GET":
            operation = described["/" + re.sub(r"<str:(\w+)>", r"{\1}", row.route)][row.method.lower()]
            caller = rita if PARENT in row.opens_to else operator
            with subtests.test(str(row)):
                answer = caller.generic(
                    row.method,
                    f"{crawled.address(row)}?dry_run=true",
                    json.dumps(row.body or {}),
                    content_type="application/json",
                    headers={"if-match": '"stale"'},
                )

                assert answer.status_code == (412 if "412" in operation["responses"] else 400), answer.content
