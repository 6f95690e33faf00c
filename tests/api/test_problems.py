"""Whatever is wrong with a request, the answer is problem+json, at once, and never a 500."""

import itertools
import json
import time

import pytest
from django.db import OperationalError
from django.test import override_settings
from django.urls import path
from rest_framework.exceptions import Throttled

import mailhost.urls
from domains.models import Domain
from mailhost.api.endpoint import Endpoint
from mailhost.api.permissions import ANY_ACTOR
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tests.apiside import PROBLEM, Caller, assert_problem, errors_of, make_cast

pytestmark = pytest.mark.django_db

MALFORMED = {
    "nothing closed": b'{"name": "new.example"',
    "two values": b'{"name": "new.example"} {}',
    "a name twice": b'{"name": "new.example", "name": "other.example"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "more than a double": b'{"name": 1e400}',
    "more digits than are read": b'{"name": ' + b"9" * 6000 + b"}",
    "a byte order mark": b'\xef\xbb\xbf{"name": "new.example"}',
    "Latin-1": '{"name": "bücher.example"}'.encode("latin-1"),
    "UTF-16": '{"name": "new.example"}'.encode("utf-16"),
    "10,000 levels": b"[" * 10_000 + b"]" * 10_000,
    "33 levels": b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}",
    "an unclosed depth": b'{"name":' * 50_000,
    "a bare control character": b'{"name": "new\x00.example"}',
    "a form": b"name=new.example",
    "words": b"new.example",
    "one quote": b"'",
}
WRONG_SHAPES = {
    "a list": (["new.example"], [("#", "invalid")]),
    "text": ('"new.example"', [("#", "invalid")]),
    "null": ("null", [("#", "null")]),
    "an empty object": ({}, [("#/name", "required")]),
    "null for text": ({"name": None}, [("#/name", "null")]),
    "a number for text": ({"name": 0}, [("#/name", "invalid")]),
    "true for text": ({"name": True}, [("#/name", "invalid")]),
    "a list for text": ({"name": ["new.example"]}, [("#/name", "invalid")]),
    "an object for text": ({"name": {"a": "new.example"}}, [("#/name", "invalid")]),
    "NUL": ({"name": "new\0.example"}, [("#/name", "control_character")]),
    "half a surrogate pair": ('{"name": "\\ud800.example"}', [("#/name", "control_character")]),
    "a line break": ({"name": "new.example\n"}, [("#/name", "control_character")]),
    "too much text": ({"name": "a" * 1001}, [("#/name", "max_length")]),
    "what only we may write": (
        {"name": "new.example", "is_verified": True, "verified_at": None},
        [("#/is_verified", "unknown_field"), ("#/verified_at", "unknown_field")],
    ),
    "a name with a slash": ({"name": "new.example", "a/b~c": 1}, [("#/a~1b~0c", "unknown_field")]),
}


QUERIES = [
    ("?limit=0", "limit", "out_of_range"),
    ("?limit=201", "limit", "out_of_range"),
    ("?limit=-1", "limit", "out_of_range"),
    ("?limit=1e9", "limit", "out_of_range"),
    ("?limit=٣", "limit", "out_of_range"),
    ("?limit=", "limit", "out_of_range"),
    ("?after=", "after", "invalid_cursor"),
    ("?after=WzFd", "after", "invalid_cursor"),
    ("?page_size=1000000000", "page_size", "unknown_parameter"),
    ("?ordering=tenant__name", "ordering", "unknown_parameter"),
    ("?domain__tenant__name__startswith=a", "domain__tenant__name__startswith", "unknown_parameter"),
    ("?format=api", "format", "unknown_parameter"),
    ("?limit=1&limit=2", "limit", "given_twice"),
    ("?%00=1", "\0", "unknown_parameter"),
]
ERRORS = [
    (RuntimeError("password=hunter2"), 500, "internal_error", None),
    (RecursionError(), 500, "internal_error", None),
    (OperationalError(2006, "Server has gone away at 10.0.0.7"), 503, "unavailable", "5"),
    (Throttled(wait=30), 429, "rate_limited", "30"),
    (NotPermitted("domains.create"), 403, "not_permitted", None),
    (Domain.DoesNotExist("Domain acme"), 404, "not_found", None),
    (Refused("not_found", "", "This domain does not exist."), 404, "not_found", None),
]
OTHER_KINDS = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/html",
    "application/merge-patch+json",
    "application/json; charset=latin-1",
]
NOWHERE = ["/nothing", "/domains/", "/domains/a/b/c", "/", "", "/../admin", "/mailboxes//x"]
REFERENCES = [
    "dom_" + "0" * 20,
    "dom_é" + "0" * 19,
    "dom_",
    "dom_%",
    "mbx_" + "0" * 20,
    "%00",
    "a" * 5000,
    "..",
    "*",
    "🦊",
    "acme.example%0a",
    "ACME..example",
    "xn--a",
    "'",
    "-1",
    "[::1]",
    "%F0%9F",
    "acme.example;select",
]


@pytest.fixture
def acme():
    return make_cast().acme.caller()


def test_malformed_body_gets_400_within_a_second(acme, subtests):
    for name, body in MALFORMED.items():
        with subtests.test(name):
            began = time.monotonic()

            answer = acme.call("POST", "/domains", body)

            assert_problem(answer, 400, "malformed_request")
            assert time.monotonic() - began < 1


def test_wrong_shape_gets_422_with_a_pointer_to_each_fault(acme, subtests):
    for name, (body, errors) in WRONG_SHAPES.items():
        with subtests.test(name):
            assert errors_of(acme.call("POST", "/domains", body)) == errors


def test_size_is_an_integer_that_a_column_can_hold(acme, subtests):
    for quota in (2**64, 2**31, 1.5, 5.0, "5", True, None, [], {}):
        with subtests.test(str(quota)):
            answer = acme.call("PATCH", "/mailboxes/anna@acme.example", {"storage_quota": quota})

            assert [pointer for pointer, _ in errors_of(answer)] == ["#/storage_quota"]


def test_switch_is_true_or_false_and_nothing_like_them(acme, subtests):
    for switch in ("true", 1, 0, None, [True]):
        with subtests.test(str(switch)):
            answer = acme.call("PATCH", "/domains/acme.example", {"enabled": switch})

            assert [pointer for pointer, _ in errors_of(answer)] == ["#/enabled"]


def test_body_of_another_kind_gets_415(acme, subtests):
    for kind in OTHER_KINDS:
        with subtests.test(kind):
            answer = acme.call("POST", "/domains", {"name": "new.example"}, kind)

            assert_problem(answer, 415, "unsupported_media_type")


def test_compressed_body_gets_415(acme):
    answer = acme.call("POST", "/domains", {"name": "new.example"}, headers={"content-encoding": "gzip"})

    assert_problem(answer, 415, "unsupported_media_type")


def test_chunked_body_is_refused_not_taken_for_none(acme):
    answer = acme.call(
        "POST", "/mailboxes/anna@acme.example/suspend", headers={"transfer-encoding": "chunked"}, CONTENT_LENGTH=""
    )

    assert_problem(answer, 400, "malformed_request")


def test_merge_patch_is_taken_under_its_own_name(acme):
    answer = acme.call("PATCH", "/domains/acme.example", {"enabled": False}, "application/merge-patch+json")

    assert answer.json()["enabled"] is False


def test_three_megabytes_get_413(acme):
    assert_problem(acme.call("POST", "/domains", {"name": "a" * 3_000_000}), 413, "body_too_large")


def test_act_without_a_body_refuses_one_it_would_ignore(acme):
    answer = acme.call("POST", "/mailboxes/anna@acme.example/suspend", {"until": "tomorrow"})

    assert errors_of(answer) == [("#/until", "unknown_field")]


def test_query_that_means_nothing_gets_400_naming_the_parameter(acme, subtests):
    for query, parameter, code in QUERIES:
        with subtests.test(query):
            members = assert_problem(acme.call("GET", f"/mailboxes{query}"), 400, "invalid_parameter")

            assert [(error["parameter"], error["code"]) for error in members["errors"]] == [(parameter, code)]


@pytest.mark.parametrize("debug", [False, True])
def test_path_that_leads_nowhere_gets_404_also_without_a_key(subtests, debug):
    with override_settings(DEBUG=debug):
        for method, where in itertools.product(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), NOWHERE):
            with subtests.test(f"{method} {where}"):
                assert_problem(Caller().call(method, where), 404, "not_found")


def test_reference_to_nothing_gets_404_whatever_it_looks_like(acme, subtests):
    for reference in REFERENCES:
        with subtests.test(reference):
            assert_problem(acme.call("GET", f"/domains/{reference}"), 404, "not_found")


def test_answer_is_json_whatever_is_accepted(acme, subtests):
    for accept in ("text/html", "application/xml", "*/*", "nonsense", ""):
        with subtests.test(accept):
            answer = acme.call("GET", "/domains", headers={"accept": accept})

            assert answer.headers["Content-Type"] == "application/json"
            assert_problem(Caller().call("GET", "/domains", headers={"accept": accept}), 401, "not_authenticated")


def test_host_that_is_not_ours_gets_a_problem(acme):
    answer = acme.call("GET", "/domains", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == PROBLEM


def test_problem_bears_the_id_under_which_the_request_is_logged(acme, caplog):
    with caplog.at_level("INFO", logger="django_structlog"):
        answer = acme.call("GET", "/domains/gone.example")

    logged = {record.msg["request_id"] for record in caplog.records if isinstance(record.msg, dict)}
    assert logged == {answer.json()["request_id"]} == {answer.headers["X-Request-Id"]}


class Raises(Endpoint):
    """Raises what the test chose."""

    actions = {"GET": ANY_ACTOR, "POST": ANY_ACTOR}
    body_names = {"address": "email"}
    error: Exception = Exception()

    def get(self, request):
        raise self.error


class MailhostWithRaises:
    urlpatterns = [path("api/v1/raises", Raises.as_view()), *mailhost.urls.urlpatterns]


@pytest.mark.parametrize("debug", [False, True])
def test_error_of_any_kind_is_a_problem_that_gives_nothing_away(acme, subtests, debug):
    acme.raise_request_exception = False
    for error, status, code, retry_after in ERRORS:
        Raises.error = error
        with subtests.test(repr(error)), override_settings(ROOT_URLCONF=MailhostWithRaises, DEBUG=debug):
            answer = acme.call("GET", "/raises")

            assert_problem(answer, status, code)
            assert answer.headers.get("Retry-After") == retry_after
            assert "hunter2" not in answer.content.decode()
            assert "10.0.0.7" not in answer.content.decode()


def test_refusal_points_to_the_member_that_the_endpoint_calls_it(acme):
    Raises.error = Refused("taken", "address", "There is a mailbox anna@acme.example already.")

    with override_settings(ROOT_URLCONF=MailhostWithRaises):
        members = assert_problem(acme.call("GET", "/raises"), 422, "validation_failed")

    assert members["detail"] == "There is a mailbox anna@acme.example already."
    assert members["errors"] == [{"pointer": "#/email", "code": "taken", "detail": members["detail"]}]


def test_error_leaves_no_scope_behind(acme):
    from mailhost.scope import NoScope

    Raises.error = RuntimeError()
    acme.raise_request_exception = False
    with override_settings(ROOT_URLCONF=MailhostWithRaises):
        acme.call("GET", "/raises")

    with pytest.raises(NoScope):
        Domain.objects.count()


def test_deep_json_in_an_otherwise_good_body_is_refused_not_stored(acme):
    with every_tenant("a test counts"):
        before = Domain.objects.count()

    answer = acme.call("POST", "/domains", json.dumps({"name": "new.example", "x": [[[[[]]]]]}))

    assert errors_of(answer) == [("#/x", "unknown_field")]
    with every_tenant("a test counts"):
        assert Domain.objects.count() == before
