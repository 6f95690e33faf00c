"""The mistakes that people make at their DNS provider, each as its zone then answers, and the sentence about each."""

import pytest

from dns import tasks
from dns.dkim import make_key
from dns.models import DkimKey, DnsRecord, KeyState
from dns.record_operations import expected_of
from mailhost.scope import every_tenant

MX, SPF = "10 mail.mailhost.example.", '"v=spf1 mx ~all"'


@pytest.fixture
def domain(acme, verified, dns_server, settings):
    settings.MAILHOST_SPF_INCLUDE = ""
    domain = verified(acme, "acme.example", challenge="c0ffee")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    dns_server.says("acme.example", "SOA")
    return domain


def seen(domain) -> dict[str, DnsRecord]:
    tasks.check_records(domain.pk)
    with every_tenant("a test looks"):
        return {row.purpose: row for row in DnsRecord.objects.filter(domain=domain)}


@pytest.mark.parametrize(
    ("purpose", "name", "record_type", "values", "said"),
    [
        ("mx", "acme.example.acme.example", "MX", [MX], "The domain was appended twice"),
        ("spf", "acme.example.acme.example", "TXT", [SPF], "The domain was appended twice"),
        (
            "ownership",
            "_mailhost-challenge.acme.example.acme.example",
            "TXT",
            ["mailhost-verification=c0ffee"],
            "The domain was appended twice",
        ),
        ("mx", "acme.example", "MX", ["10 mail.mailhost.example.acme.example."], "appended to the host"),
        (
            "ownership",
            "_mailhost-challenge.acme.example",
            "TXT",
            [r'"\"mailhost-verification=c0ffee\""'],
            "quotes or blanks around it",
        ),
        ("spf", "acme.example", "TXT", [r'"\"v=spf1 mx ~all\""'], "begins with a quote"),
        ("spf", "acme.example", "TXT", [SPF, '"v=spf1 a -all"'], "several SPF records"),
        (
            "ownership",
            "_mailhost-challenge.acme.example",
            "TXT",
            ['"mailhost-verification=c0ffee   "'],
            "quotes or blanks around it",
        ),
        ("mx", "acme.example", "MX", ["10 _dc-mx.1a2b3c4d.acme.example."], "behind a web proxy"),
        ("mx", "acme.example", "MX", ["10 acme.example."], "names the domain itself instead of the mail host"),
        ("mx", "mail.acme.example", "MX", [MX], "stands at mail.acme.example. Enter it for acme.example."),
        ("spf", "www.acme.example", "TXT", [SPF], "stands at www.acme.example. Enter it for acme.example."),
        ("mx", "acme.example", "MX", ["10 203.0.113.25."], "names a host, not an address"),
    ],
)
def test_a_mistake_has_a_sentence_of_its_own(domain, dns_server, *, purpose, name, record_type, values, said):
    dns_server.says(name, record_type, *values)

    row = seen(domain)[purpose]

    assert row.status in {"missing", "mismatch"}
    assert said in row.problem


def test_mistakes_with_a_key(domain, dns_server):
    with every_tenant("a test looks"):
        row = DnsRecord.objects.get(domain=domain, purpose="dkim")
    whole, wrong_name = expected_of(row).rdata, row.name.replace("._domainkey.", ".")
    cut = f'"{row.value[:255]}"'
    former = DkimKey(domain=domain, selector="former", state=KeyState.RETIRED, private_key="", fingerprint="")
    former.public_key = make_key().public_key
    former.save()

    problems = []
    for name, value in (
        (row.name, cut),
        (row.name, f'"v=DKIM1; k=rsa; p={former.public_key[:200]}" "{former.public_key[200:]}"'),
        (row.name, r'"\"' + row.value[:200] + '" "' + row.value[200:] + r'\""'),
        (wrong_name, whole),
        (f"{row.name}.acme.example", whole),
    ):
        dns_server.says(name, "TXT", value)
        problems.append(seen(domain)["dkim"].problem)
        dns_server.says(name, "TXT")

    expected = ("cut off after 255 characters", "selector former", "quotes around it", "Enter it for", "appended twice")
    assert [said in problem for said, problem in zip(expected, problems, strict=True)] == [True] * 5, problems
