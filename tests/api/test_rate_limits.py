"""How much may be asked in a minute: by one key, and by all keys of a tenant."""

import re
import uuid

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from mailhost.api import rate_limits
from tenants.plan_operations import assign_plan, create_plan
from tests.apiside import Caller, assert_problem, make_cast
from tests.world import actor_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def acme(cast):
    return cast.acme


@pytest.fixture(autouse=True)
def limits():
    """Three a minute for a key, four for a tenant, counted where no other test counts."""
    caches = {"default": {"KEY_PREFIX": uuid.uuid4().hex}}
    with override_settings(
        MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY=3, MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT=4, CACHES=caches
    ):
        yield


def test_every_answer_says_what_is_left(acme):
    caller = acme.caller()

    answers = [caller.call("GET", path) for path in ("/me", "/domains/gone.example")]

    assert answers[0].headers["RateLimit-Policy"] == '"key";q=3;w=60, "tenant";q=4;w=60'
    assert re.fullmatch(r'"key";r=2;t=\d+, "tenant";r=3;t=\d+', answers[0].headers["RateLimit"])
    assert re.fullmatch(r'"key";r=1;t=\d+, "tenant";r=2;t=\d+', answers[1].headers["RateLimit"])


def test_one_too_many_gets_429_with_the_time_to_wait(acme):
    caller = acme.caller()
    for _ in range(3):
        assert caller.call("GET", "/me").status_code == 200

    answer = caller.call("GET", "/me")

    members = assert_problem(answer, 429, "rate_limited")
    assert "key" in members["detail"]
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit"].startswith('"key";r=0;')


def test_the_keys_of_a_tenant_share_its_limit_and_those_of_another_do_not(cast, acme):
    for caller in [acme.caller()] * 2 + [acme.caller("support")] * 2:
        assert caller.call("GET", "/me").status_code == 200

    members = assert_problem(acme.caller("support").call("GET", "/me"), 429, "rate_limited")

    assert "tenant" in members["detail"]
    assert cast.bolt.caller().call("GET", "/me").status_code == 200


def test_a_request_without_a_key_is_not_counted(acme):
    for _ in range(5):
        assert_problem(Caller().call("GET", "/me"), 401, "not_authenticated")


def test_a_refused_request_changes_nothing(acme):
    caller = acme.caller()
    for _ in range(3):
        caller.call("GET", "/me")

    assert_problem(caller.call("DELETE", "/domains/acme.example"), 429, "rate_limited")
    assert acme.caller("support").call("GET", "/domains/acme.example").status_code == 200


def test_no_limit_is_not_spoken_of(acme):
    with override_settings(MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY=0, MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT=0):
        answer = acme.caller().call("GET", "/me")

    assert "RateLimit" not in answer.headers


def test_while_redis_is_away_requests_pass_and_the_log_says_so(acme, caplog, monkeypatch):
    away = rate_limits.Redis.from_url("redis://127.0.0.1:1/0", retry=rate_limits.NEVER)
    monkeypatch.setattr(rate_limits, "_redis", lambda: away)
    monkeypatch.setattr(rate_limits, "_paused_until", 0.0)
    # However slow the machine is.
    monkeypatch.setattr(rate_limits, "PAUSE_SECONDS", 300)

    answers = [acme.caller().call("GET", "/me") for _ in range(6)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    said = [record for record in caplog.records if "rate_limits_off" in str(record.msg)]
    assert len(said) == 1


def on_plan(cast, tenant, requests: int) -> None:
    actor = actor_of(cast.rita) if tenant != cast.rita else actor_of(cast.operator)
    plan = create_plan(actor, name=f"{requests} a minute", limits={"api_requests_per_minute": requests})
    assign_plan(actor, tenant=tenant, plan=plan)


def test_the_plan_says_how_much_without_a_further_statement(cast, acme):
    caller, other = acme.caller(), acme.caller("support")
    caller.read("/me")
    with CaptureQueriesContext(connection) as before:
        caller.read("/me")
    on_plan(cast, acme.tenant, 7)
    with CaptureQueriesContext(connection) as after:
        answer = caller.call("GET", "/me")

    assert len(before) == len(after)
    assert answer.headers["RateLimit-Policy"] == '"key";q=7;w=60, "tenant";q=7;w=60'
    for _ in range(4):
        assert other.call("GET", "/me").status_code == 200
    members = assert_problem(other.call("GET", "/me"), 429, "rate_limited")
    assert members["detail"].startswith("This tenant may ask no more before the minute ends.")
    # Bolt has no plan: the installation's limits hold.
    assert cast.bolt.caller().call("GET", "/me").headers["RateLimit-Policy"].startswith('"key";q=3')


def test_what_a_provider_may_ask_counts_for_all_below_and_is_not_told(cast, acme):
    on_plan(cast, cast.rita, 3)
    for caller in (acme.caller(), acme.caller(), cast.bolt.caller()):
        answer = caller.call("GET", "/me")
        assert answer.status_code == 200
        assert "provider" not in answer.headers["RateLimit"]

    members = assert_problem(cast.bolt.caller().call("GET", "/me"), 429, "rate_limited")

    assert "provider" in members["detail"]
