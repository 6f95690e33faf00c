"""The OpenAPI document says what the API does."""

import json
import re

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from accounts.invitation_operations import invite_member
from mailhost.api.errors import PROBLEMS
from mailhost.api.headers import MEANINGS
from mailhost.api.scopes import SCOPES
from mailhost.urls import endpoints
from tests.apiside import ROOT, Caller, assert_problem, make_cast
from tests.routes.cast import a_member
from tests.world import PASSWORD_HASH

ID = {
    "tenant": "ten_{}",
    "key": "key_{}",
    "domain": "acme.example",
    "mailbox": "anna@acme.example",
    "alias": "sales@acme.example",
}
BODIES = {
    "create_domain": {"name": "new.example"},
    "put_domain": {"enabled": True},
    "update_domain": {"enabled": False},
    "deny_address": {"address": "sales"},
    "create_mailbox": {"email": "otto@acme.example", "password": "Grün-Kaffee-17-Lampe", "storage_quota": 5},
    "put_mailbox": {"display_name": "Anna"},
    "create_mailboxes": {
        "mode": "partial",
        "items": [
            {"email": f"{name}@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 5} for name in "ab"
        ]
        + [{}],
    },
    "update_mailbox": {"display_name": "Anna", "keeps_copy": True},
    "invite_to_mailbox": {"to": "new@partner.example"},
    "set_mailbox_password": {"password": "Grün-Kaffee-17-Lampe"},
    "create_webhook_endpoint": {"url": "https://hooks.acme.example/in"},
    "update_webhook_endpoint": {"description": "Billing"},
    "apply_state": {"aliases": [{"source": "team@acme.example", "targets": ["anna@acme.example"]}]},
    "create_alias": {"source": "info@acme.example", "targets": ["anna@acme.example"]},
    "create_aliases": {"mode": "partial", "items": [{"source": "b@acme.example", "targets": ["x@y.example"]}, {}]},
    "update_alias": {"enabled": False},
    "create_invitation": {"email": "otto@elsewhere.example", "role": "support"},
    "update_member": {"role": "read_only"},
    "create_api_key": {"name": "shop", "scopes": ["domains:read"]},
}
# They change nothing, and yet a rule may refuse what they ask.
REFUSED_READS = {"look_up_dns", "preview_publication"}
# Headers that an answer has wherever the document says that it may.
NEVER_LACKING = {"X-Request-Id", "RateLimit", "RateLimit-Policy", "ETag", "Retry-After"}
QUERIES = {"explain_address": "?recipient=sales@acme.example", "apply_state": "?dry_run=true"}


@pytest.fixture
def document():
    answer = Caller().call("GET", "/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


# What a key may ask whatever its scopes; of operations it sees its own.
OPEN_TO_ANY_KEY = {"get_me", "get_server_info", "list_operations", "get_operation"}


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_document_is_valid_and_of_version_3_1(document):
    assert document["openapi"].startswith("3.1.")
    validate_schema(document)


def test_document_names_every_endpoint_and_method(document):
    described = {(path, method) for path, method, _ in operations(document)}

    served = set()
    for route in endpoints:
        if hasattr(route.callback, "cls"):
            path = re.sub(r"<str:(\w+)>", r"{\1}", f"{ROOT}/{route.pattern}")
            served |= {(path, method) for method in route.callback.cls.actions}
    assert described == served


def test_every_operation_has_a_name_a_sentence_a_key_and_its_problems(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        assert operation["summary"]
        (scopes,) = (one["api_key"] for one in operation["security"])
        assert set(scopes) <= set(SCOPES)
        assert bool(scopes) == (operation["operationId"] not in OPEN_TO_ANY_KEY)
        statuses = set(operation["responses"])
        assert {"400", "401", "403", "500", "503"} <= statuses
        assert ("404" in statuses) == ("{" in path)
        assert ("422" in statuses) == (method != "GET" or operation["operationId"] in REFUSED_READS)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}


def test_a_text_is_described_as_a_text_and_only_codes_are_codes(document):
    schemas = document["components"]["schemas"]
    described = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, shape in schema.get("properties", {}).items()
        if "What is at fault" in shape.get("description", "")
    }

    assert described == {"InputError.code"}
    assert schemas["Mailbox"]["properties"]["email"] == {"type": "string"}


def test_document_lists_the_codes_of_problems(document):
    assert document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(PROBLEMS)


def test_bodies_take_no_member_that_is_not_named(document):
    for _, _, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            shape = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
            assert shape["additionalProperties"] is False


@pytest.mark.django_db
def test_every_answer_is_what_the_document_says(document, subtests):
    cast = make_cast()
    caller = cast.acme.caller()
    key = caller.read("/api-keys")["data"][0]["id"]
    webhook = caller.call("POST", "/webhook-endpoints", BODIES["create_webhook_endpoint"]).json()["id"]
    app_password = caller.call("POST", f"/mailboxes/{ID['mailbox']}/app-passwords", {"name": "Phone"}).json()["id"]
    event = caller.read("/audit-events")["data"][0]["id"]
    invitation = invite_member(cast.acme.actor, email="new@acme.example", role="support")
    ids = ID | {
        "tenant": f"ten_{cast.acme.tenant.uid}",
        "kind": "mx",
        "name": "printer.example",
        "address": "203.0.113.7",
        "event": event,
        "plan": f"pln_{'0' * 20}",
        "key": key,
        "app_password": app_password,
        "webhook": webhook,
        "denied": caller.call("POST", f"/domains/{ID['domain']}/denied-addresses", {"address": "spam"}).json()["id"],
        "delivery": caller.call("POST", f"/webhook-endpoints/{webhook}/test").json()["id"],
        "member": f"mem_{a_member(cast.acme.tenant, 'support').uid}",
        "invitation": f"inv_{invitation.uid}",
        "operation": caller.call("POST", f"/domains/{ID['domain']}/check").json()["id"],
    }
    # Deletions last, the key that asks last of all.
    order = sorted(
        operations(document), key=lambda row: (row[1] == "DELETE", "api-keys" in row[0], "domains" in row[0])
    )

    for path, method, operation in order:
        with subtests.test(operation["operationId"]):
            url = path.removeprefix(ROOT).format(**ids) + QUERIES.get(operation["operationId"], "")
            answer = caller.call(method, url, BODIES.get(operation["operationId"], ""))

            status = str(answer.status_code)
            assert status in operation["responses"], answer.content
            described = set(operation["responses"][status].get("headers", ()))
            if answer.status_code < 300:
                assert (set(answer.headers) & set(MEANINGS)) - described == set()
            assert (NEVER_LACKING & described) - set(answer.headers) == set()
            described = operation["responses"][status].get("content", {})
            if not described:
                assert answer.content == b""
            else:
                kind, content = next(iter(described.items()))
                assert answer.headers["Content-Type"] == kind
                schema = {**content["schema"], "components": document["components"]}
                text = answer.getvalue().decode()
                said = json.loads(text) if "json" in kind else text
                Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(said)


def test_answers_have_no_member_that_the_document_does_not_name(document):
    # Held by the tests of each endpoint, which compare whole answers; here: that the document names them all.
    domain = document["components"]["schemas"]["Domain"]
    assert set(domain["required"]) == set(domain["properties"])


def test_description_and_docs_need_no_key_and_take_only_reads(client, subtests):
    for path in ("/api/v1/openapi.json", "/api/docs"):
        with subtests.test(path):
            assert client.get(path).status_code == 200
            assert_problem(client.post(path), 405, "method_not_allowed")


def test_docs_page_needs_nothing_that_the_policy_forbids(client):
    answer = client.get("/api/docs")

    page = answer.content.decode()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "<style" not in page
    assert not re.search(r"\son\w+=|style=|<script(?! src=)", page)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    for code in PROBLEMS:
        assert f'id="{code}"' in page
