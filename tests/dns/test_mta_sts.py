"""The steps of an MTA-STS policy: testing before enforcement, and none before off."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dns.models import DnsRecord, MtaSts, Status
from dns.mta_sts import MAX_AGE, TESTING_FOR, Mode, policy, policy_id, unfit
from dns.tasks import refresh_records
from mailhost.scope import every_tenant
from tests.apiside import Caller, errors_of, make_key
from tests.world import verified_domain, world  # noqa: F401  a fixture

PATH = "/domains/acme.example/mta-sts"
NOW = timezone.now()


@pytest.fixture
def caller(world, settings) -> Caller:  # noqa: F811
    settings.MAILHOST_SETUP_HOST = "setup.mailhost.example"
    refresh_records(verified_domain(world.as_acme, "acme.example").pk)
    return Caller(make_key(world.acme))


def records() -> dict[str, str]:
    with every_tenant("a test looks at its rows"):
        rows = DnsRecord.objects.filter(purpose="mta_sts")
        return {row.record_type: row.value for row in rows}


def step(caller: Caller, mode: str):
    answer = caller.call("PUT", PATH, {"mode": mode})
    with every_tenant("the worker's part"):
        for row in MtaSts.objects.all():
            refresh_records(row.domain_id)
    return answer


def found(**which) -> None:
    with every_tenant("a test lays its ground"):
        DnsRecord.objects.filter(**which).update(status=Status.OK)


def errors_detail(answer) -> str:
    return answer.json()["errors"][0]["detail"]


def waited(length: timedelta) -> None:
    with every_tenant("a test lets time pass"):
        row = MtaSts.objects.get()
        MtaSts.objects.update(since=row.since - length)


def test_a_domain_goes_from_off_over_testing_to_enforce_and_back_by_none(caller):
    assert caller.read(PATH)["mode"] == "off"
    assert records() == {}

    assert step(caller, "testing").status_code == 200
    testing = records()
    assert testing["CNAME"] == "setup.mailhost.example"
    waited(TESTING_FOR)
    found(purpose="mx")
    found(purpose="mta_sts")
    assert step(caller, "enforce").json()["policy"].splitlines()[1] == "mode: enforce"
    assert records()["TXT"] != testing["TXT"]
    assert step(caller, "none").status_code == 200
    assert set(records()) == {"CNAME", "TXT"}
    waited(MAX_AGE)
    assert step(caller, "off").status_code == 200

    assert records() == {}


def test_enforcement_waits_for_its_week_of_testing_and_for_dns(caller):
    step(caller, "testing")

    assert errors_of(step(caller, "enforce")) == [("#/mode", "not_ready")]
    waited(TESTING_FOR)
    refused = step(caller, "enforce")

    assert errors_of(refused) == [("#/mode", "not_ready")]
    assert "MTA-STS record at mta-sts.acme.example" in errors_detail(refused)
    found(purpose="mta_sts")
    assert "MX record at acme.example" in errors_detail(step(caller, "enforce"))
    assert caller.read(PATH)["mode"] == "testing"
    assert "MX record" in caller.read(PATH)["steps"]["enforce"]


@pytest.mark.parametrize(
    ("mode", "code"), [("enforce", "not_ready"), ("none", "not_ready"), ("strict", "invalid_mode")]
)
def test_a_step_that_does_not_follow_is_refused(caller, mode, code):
    assert errors_of(step(caller, mode)) == [("#/mode", code)]


def test_the_same_step_twice_changes_nothing(caller):
    step(caller, "testing")
    first = caller.read(PATH)

    assert step(caller, "testing").json() == first


def test_where_no_host_serves_policies_there_are_none(caller, settings):
    settings.MAILHOST_SETUP_HOST = ""

    assert errors_of(step(caller, "testing")) == [("#", "not_offered")]


def test_senders_may_remember_a_policy_for_its_max_age():
    assert unfit(Mode.NONE, Mode.OFF, NOW - MAX_AGE + timedelta(hours=1), NOW).startswith("Senders may remember")
    assert unfit(Mode.NONE, Mode.OFF, NOW - MAX_AGE, NOW) == ""


def test_the_id_is_short_and_plain_enough_for_its_record():
    shown = policy_id(policy("enforce", "mail.mailhost.example"))

    assert len(shown) <= 32
    assert shown.isalnum()
