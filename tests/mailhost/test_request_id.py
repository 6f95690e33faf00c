"""A request's id is in its answer, in the log, in the audit record, and in the work it starts."""

import re

import pytest
import structlog

from audit.models import Event
from mailhost import background
from mailhost.models import Job
from mailhost.request_id import request_id
from mailhost.scope import every_tenant
from tests.apiside import Caller, make_cast

pytestmark = pytest.mark.django_db

OURS = re.compile(r"req_[0-9a-f]{32}")
TASK = "tests.mailhost.test_request_id.work"
log = structlog.get_logger(__name__)
seen: list[str] = []


def work() -> None:
    seen.append(request_id())
    background.later(f"{TASK}_after_it")


def work_after_it() -> None:
    seen.append(request_id())
    log.warning("work_done")


@pytest.fixture
def acme():
    seen.clear()
    return make_cast().acme


def test_every_answer_bears_an_id(acme, subtests):
    for caller, path, status in (
        (acme.caller(), "/me", 200),
        (acme.caller(), "/domains/gone.example", 404),
        (Caller(), "/me", 401),
        (Caller(), "/nowhere", 404),
    ):
        with subtests.test(path):
            answer = caller.call("GET", path)

            assert answer.status_code == status
            assert OURS.fullmatch(answer.headers["X-Request-Id"])
            assert status == 200 or answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a_host_that_is_not_ours_gets_an_id_too(acme):
    answer = acme.caller().call("GET", "/me", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert OURS.fullmatch(answer.headers["X-Request-Id"])


def test_two_requests_have_two_ids(acme):
    ids = {acme.caller().call("GET", "/me").headers["X-Request-Id"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize("given", ["shop:order-4711", "0" * 8, "A1._:-Zz", "f" * 64])
def test_the_callers_id_is_kept(acme, given):
    assert acme.caller().call("GET", "/me", headers={"x-request-id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "f" * 65, "four four four", "ümlaut-4711", "<script>1", "-begins-so", "a\\nb-4711"]
)
def test_what_could_not_be_an_id_is_replaced_never_repeated(acme, given):
    answer = acme.caller().call("GET", "/me", headers={"x-request-id": given})

    assert OURS.fullmatch(answer.headers["X-Request-Id"])


def test_the_audit_record_and_the_jobs_of_a_change_bear_its_id(acme):
    acme.caller().call("POST", "/domains", {"name": "new.example"}, headers={"x-request-id": "shop:order-4711"})

    with every_tenant("a test reads the audit record"):
        assert Event.objects.latest("pk").request_id == "shop:order-4711"
    assert Job.objects.latest("pk").request_id == "shop:order-4711"


def test_background_work_runs_under_the_id_of_its_request_and_hands_it_on(acme, caplog):
    job = Job.objects.create(task=TASK, queue="default", due_at="2026-01-01T00:00Z", request_id="shop:order-4711")

    background.run(job.pk)
    background.run(Job.objects.latest("pk").pk)

    assert seen == ["shop:order-4711"] * 2
    assert request_id() == ""
    [line] = [record.msg for record in caplog.records if record.msg["event"] == "work_done"]
    assert line["request_id"] == "shop:order-4711"


def test_the_log_names_the_request(acme, caplog):
    with caplog.at_level("INFO", logger="django_structlog"):
        acme.caller().call("GET", "/me", headers={"x-request-id": "shop:order-4711"})

    assert {record.msg["request_id"] for record in caplog.records if isinstance(record.msg, dict)} == {
        "shop:order-4711"
    }
