"""A logo beside a domain's mail (BIMI): which addresses it may have, and when its record is asked for."""

import pytest
from django.utils import timezone

from dns.bimi import MAX_URL, unfit
from dns.models import DmarcPolicy, DnsRecord, Logo, Status
from dns.tasks import refresh_records
from mailhost.scope import every_tenant
from tests.apiside import Caller, errors_of, make_key
from tests.routes.cast import a_member
from tests.webside import signed_in
from tests.world import verified_domain, world  # noqa: F401  a fixture

PATH = "/domains/acme.example/logo"
LOGO, MARK = "https://acme.example/logo.svg", "https://acme.example/logo.pem"


@pytest.fixture
def domain(world):  # noqa: F811
    row = verified_domain(world.as_acme, "acme.example")
    refresh_records(row.pk)
    return row


@pytest.fixture
def caller(world, domain) -> Caller:  # noqa: F811
    return Caller(make_key(world.acme))


def enforces(domain, policy: str = "quarantine") -> None:
    with every_tenant("a test lays its ground"):
        DmarcPolicy.objects.update_or_create(domain=domain, defaults={"policy": policy, "since": timezone.now()})
        refresh_records(domain.pk)


def record(domain) -> DnsRecord | None:
    with every_tenant("the worker's part"):
        refresh_records(domain.pk)
        return DnsRecord.objects.filter(domain=domain, purpose="bimi").first()


def test_a_logo_is_chosen_and_its_record_is_asked_for(caller, domain):
    enforces(domain)

    answer = caller.call("PUT", PATH, {"logo_url": LOGO, "certificate_url": MARK})

    assert answer.status_code == 200
    assert caller.read(PATH) == answer.json() | {"is_shown": True, "logo_url": LOGO, "certificate_url": MARK}
    row = record(domain)
    assert (row.name, row.record_type, row.value, row.necessity) == (
        "default._bimi.acme.example",
        "TXT",
        f"v=BIMI1; l={LOGO}; a={MARK}",
        "optional",
    )
    assert caller.call("DELETE", PATH).status_code == 204
    assert record(domain) is None
    assert caller.call("DELETE", PATH).status_code == 422
    assert caller.read(PATH)["logo_url"] == ""


def test_it_waits_for_a_policy_that_is_enforced(caller, domain):
    refused = caller.call("PUT", PATH, {"logo_url": LOGO})

    assert errors_of(refused) == [("#/logo_url", "not_ready")]
    assert "quarantine or reject" in refused.json()["errors"][0]["detail"]
    with every_tenant("a test looks"):
        assert not Logo.objects.exists()


def test_a_policy_that_dns_shows_counts_as_one_that_was_chosen(caller, domain):
    with every_tenant("a test lays its ground"):
        found = {"status": Status.OK, "found": ["v=DMARC1; p=Reject"]}
        DnsRecord.objects.filter(domain=domain, purpose="dmarc").update(**found)

    assert caller.call("PUT", PATH, {"logo_url": LOGO}).status_code == 200
    assert record(domain).value == f"v=BIMI1; l={LOGO}"


def test_its_record_goes_with_the_policy_and_comes_back(caller, domain):
    enforces(domain)
    caller.call("PUT", PATH, {"logo_url": LOGO})
    enforces(domain, "none")
    gone, shown = record(domain), caller.read(PATH)["is_shown"]
    enforces(domain, "reject")

    assert (gone, shown) == (None, False)
    assert record(domain) is not None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://acme.example/logo.svg", "begin with https://"),
        ("ftp://acme.example/logo.svg", "begin with https://"),
        ("acme.example/logo.svg", "begin with https://"),
        ("", "begin with https://"),
        ("https://localhost/logo.svg", "Name a host"),
        ("https:///logo.svg", "Name a host"),
        ("https://anna:secret@acme.example/logo.svg", "without a sign-in"),
        ("https://acme.example/logo.svg#top", "after #"),
        ("https://acme.example/a;b.svg", "must be escaped"),
        ("https://acme.example/a b.svg", "must be escaped"),
        ("https://acme.example/ä.svg", "must be escaped"),
        ('https://acme.example/".svg', "must be escaped"),
        ("https://acme.example:0/logo.svg", "not an address of the web"),
        ("https://acme.example:99999/logo.svg", "not an address of the web"),
        ("https://[acme.example/logo.svg", "not an address of the web"),
        ("https://acme.example/" + "x" * MAX_URL, "too long"),
    ],
)
def test_an_address_that_cannot_stand_in_the_record_is_refused_with_the_rule(url, said):
    assert said in unfit(url)


@pytest.mark.parametrize("member", ["logo_url", "certificate_url"])
def test_both_addresses_are_held_to_the_rules(caller, domain, member):
    enforces(domain)
    given = {"logo_url": LOGO, "certificate_url": MARK, member: "http://acme.example/x"}

    assert errors_of(caller.call("PUT", PATH, given)) == [(f"#/{member}", "invalid_url")]


def test_the_page_keeps_what_was_typed_and_says_what_to_do(world, domain, plain_static):  # noqa: F811
    page, owner = f"/domains/{domain.uid}/logo/", signed_in(a_member(world.acme, "owner").user)
    before = owner.get(page).content.decode()
    enforces(domain)

    refused = owner.post(page, {"logo_url": "http://acme.example/logo.svg"})
    saved = owner.post(page, {"logo_url": LOGO}, follow=True)

    assert "offered once the domain" in before
    assert refused.status_code == 422
    assert "http://acme.example/logo.svg" in refused.content.decode()
    assert "must begin with https://" in refused.content.decode()
    assert f'value="{LOGO}"' in saved.content.decode()
