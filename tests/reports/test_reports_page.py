"""The page and the endpoints about reports: what they show, and the steps to a stricter policy."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from dns.models import DkimKey, DmarcPolicy, DnsRecord, KeyState, Status
from dns.tasks import refresh_records
from mailhost.models import Job
from mailhost.scope import every_tenant
from reports import operations
from reports.models import DmarcCount, Mark, SetAside, Source, TlsCount
from tenants.models import Role
from tests.apiside import Caller, errors_of, make_key
from tests.routes.cast import a_member
from tests.webside import signed_in

PATH = "/domains/acme.example/reports/dmarc"
GOOD, BAD = "192.0.2.25", "198.51.100.7"


def counted(domain, source: str, count: int, *, aligned: bool, days: int = 10) -> None:
    today = timezone.now().date()
    with every_tenant("a test lays its ground"):
        Source.objects.get_or_create(domain=domain, address=source)
        DmarcCount.objects.bulk_create(
            DmarcCount(
                domain=domain,
                day=today - timedelta(days=number),
                source=source,
                is_dkim_aligned=aligned,
                is_spf_aligned=False,
                disposition="none",
                count=count,
            )
            for number in range(days)
        )


@pytest.fixture
def ready(acme):
    """Acme signs, its records are found, and ten days of aligned mail were reported."""
    refresh_records(acme.pk)
    with every_tenant("a test lays its ground"):
        DkimKey.objects.create(
            domain=acme, selector="s1", private_key="", public_key="", fingerprint="", state=KeyState.ACTIVE
        )
        DnsRecord.objects.create(
            domain=acme,
            purpose="dkim",
            record_type="TXT",
            name="s1._domainkey.acme.example",
            value="",
            necessity="required",
        )
        DnsRecord.objects.filter(domain=acme).update(status=Status.OK)
    counted(acme, GOOD, 100, aligned=True)
    return acme


@pytest.fixture
def caller(world) -> Caller:
    return Caller(make_key(world.acme))


@pytest.fixture
def owner(world, plain_static):
    return signed_in(a_member(world.acme, Role.OWNER).user)


def test_the_ladder_is_climbed_step_by_step(ready, caller):
    assert caller.read(PATH)["obstacles"] == []
    assert errors_of(caller.call("PUT", PATH, {"policy": "reject"})) == [("#/policy", "not_ready")]

    assert caller.call("PUT", PATH, {"policy": "quarantine"}).json()["policy"] == "quarantine"
    refresh_records(ready.pk)
    with every_tenant("a test looks at its rows"):
        assert DnsRecord.objects.get(purpose="dmarc").value.startswith("v=DMARC1; p=quarantine; rua=mailto:reports+")
    refused = caller.call("PUT", PATH, {"policy": "reject"})
    assert "must hold for 14 days" in refused.json()["errors"][0]["detail"]
    with every_tenant("a test lets time pass"):
        DnsRecord.objects.update(status=Status.OK)
        DmarcPolicy.objects.update(since=timezone.now() - timedelta(days=14))
    assert caller.call("PUT", PATH, {"policy": "reject"}).json()["next_policy"] is None

    assert caller.call("PUT", PATH, {"policy": "none"}).json()["policy"] == "none"


def test_a_source_that_is_not_aligned_holds_the_step_until_it_is_marked_as_foreign(ready, caller):
    counted(ready, BAD, 50, aligned=False)

    assert any(BAD in sentence for sentence in caller.read(PATH)["obstacles"])
    assert errors_of(caller.call("PUT", PATH, {"policy": "quarantine"})) == [("#/policy", "not_ready")]
    marked = caller.call("PUT", f"/domains/acme.example/reports/sources/{BAD}", {"mark": "foreign"})

    assert marked.json()["obstacles"] == []
    assert caller.call("PUT", PATH, {"policy": "quarantine"}).status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.99", "ü", "a.b", "1" * 300])
def test_an_address_that_never_sent_is_not_there(ready, caller, address):
    assert caller.call("PUT", f"/domains/acme.example/reports/sources/{address}", {"mark": "ours"}).status_code == 404


@pytest.mark.parametrize(
    ("which", "said"), [("dkim", "No key signs"), ("spf", "SPF record"), ("reports", "Reports of 7 days")]
)
def test_what_is_missing_is_said(ready, caller, which, said):
    with every_tenant("a test lays its ground"):
        if which == "reports":
            DmarcCount.objects.filter(day__lt=timezone.now().date() - timedelta(days=2)).delete()
        else:
            DnsRecord.objects.filter(purpose=which).update(status=Status.MISSING)

    assert any(said in sentence for sentence in caller.read(PATH)["obstacles"])


def test_the_page_shows_the_days_the_sources_and_the_step(ready, owner):
    counted(ready, BAD, 50, aligned=False)
    with every_tenant("a test lays its ground"):
        Source.objects.filter(address=BAD).update(name="mail.<script>.example")
        today = timezone.now().date()
        TlsCount.objects.create(
            domain=ready, day=today, policy_type="sts", result="certificate-expired", mx_host="m", count=4
        )

    page = owner.get(f"/domains/{ready.uid}/reports/").content.decode()

    assert "of 1,500 messages are aligned" in page
    assert page.count('<rect class="failing"') == 30
    assert "mail.&lt;script&gt;.example" in page
    assert "certificate-expired (m): 4" in page
    assert "Mine" in page


def test_a_page_without_reports_says_why(acme, owner):
    assert "No report has come yet" in owner.get(f"/domains/{acme.uid}/reports/").content.decode()


def test_is_this_you_is_answered_on_the_page(ready, owner):
    with every_tenant("a test looks at its rows"):
        source = Source.objects.get(address=GOOD)

    told = owner.post(f"/mail-sources/{source.uid}/mark/", {"mark": "ours"}, follow=True).content.decode()

    assert f"{source} sends for you." in told
    with every_tenant("a test looks at its rows"):
        assert Source.objects.get(address=GOOD).mark == Mark.OURS


def test_a_page_costs_the_same_whatever_was_reported(ready, owner, django_assert_max_num_queries):
    for number in range(40):
        counted(ready, f"203.0.113.{number}", 3, aligned=bool(number % 2))

    with django_assert_max_num_queries(25):
        owner.get(f"/domains/{ready.uid}/reports/")


def test_sources_are_named_when_their_names_lead_back(ready, dns_server):
    counted(ready, BAD, 1, aligned=False)
    dns_server.says("25.2.0.192.in-addr.arpa", "PTR", "mail.acme.example.")
    dns_server.says("mail.acme.example", "A", GOOD)
    dns_server.says("7.100.51.198.in-addr.arpa", "PTR", "mail.acme.example.")

    with every_tenant("the task's part"):
        operations.name_sources(ready, timezone.now())
        names = dict(Source.objects.values_list("address", "name"))

    assert names == {GOOD: "mail.acme.example", BAD: ""}


def test_more_addresses_than_are_named_at_once_follow_until_all_are(ready, monkeypatch):
    monkeypatch.setattr(operations, "MOST_NAMED", 2)
    for number in range(4):
        counted(ready, f"203.0.113.{number}", 1, aligned=False)
    waiting = Job.objects.filter(task="reports.tasks.name_sources", arguments={"domain_id": ready.pk})

    asked = []
    with every_tenant("the task's part"):
        while not asked or waiting.exists():
            waiting.delete()
            asked.append(operations.name_sources(ready, timezone.now()))

        assert not Source.objects.filter(named_at=None).exists()
    assert asked == [2, 2, 1]


def test_addresses_whose_name_servers_are_silent_are_asked_together_and_wait_unnamed(ready, dns_server):
    dns_server.says("25.2.0.192.in-addr.arpa", "PTR", "mail.acme.example.")
    dns_server.says("mail.acme.example", "A", GOOD)
    for number in range(10):
        counted(ready, f"203.0.113.{number}", 1, aligned=False)
        dns_server.is_silent(f"{number}.113.0.203.in-addr.arpa")
    began = time.monotonic()

    with every_tenant("the task's part"):
        assert operations.name_sources(ready, timezone.now()) == 11
        named = list(Source.objects.exclude(named_at=None).values_list("address", flat=True))

    assert named == [GOOD]
    # One after another they would take 30.
    assert time.monotonic() - began < 25


def test_what_was_set_aside_is_the_operators_to_see(world, plain_static):
    SetAside.objects.create(
        message_id="<1>", sender="<b>x", recipient="", reason="The report is too large.", received_at=timezone.now()
    )

    page = signed_in(a_member(world.operator, Role.OWNER).user).get("/reports/set-aside/").content.decode()

    assert "The report is too large." in page
    assert "&lt;b&gt;x" in page


def test_old_days_are_forgotten(ready):
    with every_tenant("a test lays its ground"):
        row = DmarcCount.objects.first()
        DmarcCount.objects.filter(pk=row.pk).update(day=timezone.now().date() - timedelta(days=401))
        before = DmarcCount.objects.count()
        operations.forget_old(timezone.now())
        assert DmarcCount.objects.count() == before - 1
