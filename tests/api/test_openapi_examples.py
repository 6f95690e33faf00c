"""The examples of the OpenAPI document are true: valid by its schemas, and taken by the API as they stand."""

import json

import pytest
from jsonschema import Draft202012Validator

from mailhost.api.errors import MEDIA_TYPE, PROBLEMS
from mailhost.api.example_values import BY_NAME, BY_OWNER, LEFT_OUT, UID
from mailhost.api.examples import AROUND_THE_OBJECT, OF_POST, fits
from mailhost.api.schema import document
from tests.api.test_openapi import ID, operations
from tests.apiside import ROOT, Caller, make_cast, make_key

# What a body is refused with before any rule is asked.
OF_SHAPES = {"required", "invalid", "null", "blank", "unknown_field", "invalid_choice", "not_a_list", "max_length"}


def bodies():
    """Return every body of the document: whose it is, its kind, and what is said of it."""
    for _, method, operation in operations(document()):
        name = operation["operationId"]
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} asks {kind}", method, 0, kind, content
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                yield f"{name} answers {status} {kind}", method, int(status), kind, content


def value_of(example):
    if "$ref" in example:
        example = document()["components"]["examples"][example["$ref"].removeprefix("#/components/examples/")]
    return example["value"]


def test_every_body_has_an_example_that_is_valid_by_its_schema():
    components = document()["components"]
    for whose, _, _, _, content in bodies():
        assert content["examples"], whose
        schema = {**content["schema"], "components": components}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for example in content["examples"].values():
            assert not [error.message for error in validator.iter_errors(value_of(example))], whose


def test_every_problem_names_the_codes_that_come_with_its_status():
    named = set()
    for whose, method, status, kind, content in bodies():
        if kind == MEDIA_TYPE:
            values = [value_of(example) for example in content["examples"].values()]
            codes = [value["code"] for value in values]
            assert codes == list(content["examples"]), whose
            assert {value["status"] for value in values} == {status}, whose
            unasked = set() if method == "POST" else OF_POST
            assert set(codes) == {code for code, (its, _) in PROBLEMS.items() if its == status} - unasked, whose
            named |= set(codes)
    # No method that the document names gets that answer.
    assert named == set(PROBLEMS) - {"method_not_allowed"}


def test_examples_leave_out_nothing_that_is_required():
    schemas = document()["components"]["schemas"]
    for name, fields in LEFT_OUT.items():
        assert fields <= set(schemas[name]["properties"])
        assert not fields & set(schemas[name].get("required", []))


def test_every_declared_value_is_one_of_a_field():
    fields = [
        (name, field, schema)
        for name, shape in document()["components"]["schemas"].items()
        for field, schema in shape.get("properties", {}).items()
    ]

    def is_one_of(value, wanted, *owners):
        return any(
            field == wanted and fits(value, schema)
            for name, field, schema in fields
            if not owners or {name, AROUND_THE_OBJECT.sub("", name)} & set(owners)
        )

    assert [field for field, value in BY_NAME.items() if not is_one_of(value, field)] == []
    for owner, declared in BY_OWNER.items():
        assert [field for field, value in declared.items() if not is_one_of(value, field, owner)] == [], owner


@pytest.mark.django_db
def test_every_example_of_a_request_has_the_shape_that_the_api_takes(subtests):
    cast = make_cast()
    customer, reseller = cast.acme.caller(), Caller(make_key(cast.rita))
    ids = ID | dict.fromkeys(("address", "plan", "member", "key", "webhook", "app_password"), "0")
    ids["tenant"] = f"ten_{cast.acme.tenant.uid}"
    taken = set()
    for path, method, operation in operations(document()):
        if "requestBody" in operation:
            (example,) = operation["requestBody"]["content"]["application/json"]["examples"].values()
            body = json.loads(json.dumps(value_of(example)).replace(f"ten_{UID}", ids["tenant"]))
            # Accounts and plans are the reseller's; whatever is in an account is the customer's.
            caller = reseller if {"tenants", "plans"} & set(path.split("/")) else customer
            with subtests.test(operation["operationId"]):
                answer = caller.call(method, path.removeprefix(ROOT).format(**ids) + "?dry_run=true", body)
                # What a rule says of this cast's rows is another matter.
                assert answer.status_code in {200, 201, 204, 403, 404, 422}, answer.content
                if answer.status_code == 422:
                    assert not {error["code"] for error in answer.json()["errors"]} & OF_SHAPES, answer.content
                elif answer.status_code < 300:
                    taken.add(operation["operationId"])
    assert {"put_mailbox", "update_mailbox", "update_alias", "create_api_key", "apply_state", "create_plan"} <= taken
    assert {"create_webhook_endpoint", "create_app_password", "make_spf", "make_dmarc", "update_tenant"} <= taken
