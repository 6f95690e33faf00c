"""What mail programs and other servers are told of a domain, and that they are told nothing else."""

import base64
import hashlib
import json

import pytest
from defusedxml.ElementTree import fromstring
from django.test import Client

from dns.models import MtaSts
from dns.records import Installation, expected_records
from domains.models import Domain
from mailhost.effective import recalculate
from mailhost.scope import every_tenant

OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
ASKED = (
    f'<?xml version="1.0"?><Autodiscover xmlns="{SCHEMA}/requestschema/2006"><Request><EMailAddress>%s</EMailAddress>'
    f"<AcceptableResponseSchema>{SCHEMA}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
)
AUTOCONFIG = "/mail/config-v1.1.xml"
AUTODISCOVER = "/autodiscover/autodiscover.xml"


def get(host: str, path: str, **query):
    return Client().get(path, query, headers={"host": host})


def post(host: str, path: str, body: str | bytes):
    return Client().post(path, body, content_type="text/xml", headers={"host": host})


@pytest.mark.parametrize("path", [AUTOCONFIG, "/.well-known/autoconfig/mail/config-v1.1.xml"])
@pytest.mark.parametrize("host", ["autoconfig.acme.example", "AUTOCONFIG.acme.example:443", "acme.example"])
def test_thunderbird_is_told_the_servers(hosted, host, path):
    answer = get(host, path, emailaddress="anna@acme.example")

    assert answer.status_code == 200
    provider = fromstring(answer.content).find("emailProvider")
    incoming = provider.find("incomingServer")
    assert provider.findtext("domain") == "acme.example"
    assert (incoming.get("type"), incoming.findtext("socketType")) == ("imap", "SSL")
    assert incoming.findtext("username") == "%EMAILADDRESS%"
    assert provider.find("outgoingServer").findtext("authentication") == "password-cleartext"


def test_an_alias_domain_signs_in_with_the_main_domains_address(hosted):
    answer = get("autoconfig.acme-shop.example", AUTOCONFIG)

    login = fromstring(answer.content).find("emailProvider/incomingServer").findtext("username")
    assert login == "%EMAILLOCALPART%@acme.example"


@pytest.mark.parametrize("path", [AUTODISCOVER, "/Autodiscover/Autodiscover.xml", "/AUTODISCOVER/AUTODISCOVER.XML"])
@pytest.mark.parametrize("host", ["autodiscover.acme.example", "setup.mailhost.example", "acme.example"])
def test_outlook_is_told_the_servers_in_any_letter_case(hosted, host, path):
    answer = post(host, path, ASKED % "anna@acme.example")

    assert answer.status_code == 200
    protocols = fromstring(answer.content).findall(f".//{OUTLOOK}Protocol")
    assert [one.findtext(f"{OUTLOOK}Type") for one in protocols] == ["IMAP", "POP3", "SMTP"]
    assert {one.findtext(f"{OUTLOOK}LoginName") for one in protocols} == {"anna@acme.example"}
    assert {one.findtext(f"{OUTLOOK}SSL") for one in protocols} == {"on"}


@pytest.mark.parametrize(
    "path", ["/autodiscover/autodiscover.json", "/Autodiscover/Autodiscover.json/v1.0/anna@acme.example"]
)
def test_newer_outlook_is_told_where_to_ask(hosted, path):
    query = {"Protocol": "AutodiscoverV1"} | ({} if "v1.0" in path else {"Email": "anna@acme.example"})
    answer = get("setup.mailhost.example", path, **query)

    url = "https://autodiscover.acme.example/autodiscover/autodiscover.xml"
    assert answer.json() == {"Protocol": "AutodiscoverV1", "Url": url}
    refused = get("setup.mailhost.example", path, **(query | {"Protocol": "ActiveSync"}))
    assert (refused.status_code, refused.json()["ErrorCode"]) == (400, "InvalidProtocol")


def test_an_unknown_address_gets_the_same_answers_as_one_that_exists(anna):
    def told(local: str) -> list[bytes]:
        address = f"{local}@acme.example"
        answers = [
            get("autoconfig.acme.example", AUTOCONFIG, emailaddress=address),
            post("autodiscover.acme.example", AUTODISCOVER, ASKED % address),
            get("setup.mailhost.example", "/autodiscover/autodiscover.json", Email=address, Protocol="AutodiscoverV1"),
        ]
        return [answer.content.replace(local.encode(), b"") for answer in answers]

    assert told("anna") == told("nobody")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a/>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        (ASKED % ("a" * 20_000 + "@acme.example")).encode(),
        (ASKED % "anna@acme.example").replace("responseschema/2006a", "mobilesync").encode(),
    ],
)
def test_a_broken_request_is_refused_in_outlooks_words(hosted, body):
    answer = post("autodiscover.acme.example", AUTODISCOVER, body)

    assert answer.status_code == 400
    assert fromstring(answer.content).find(".//{*}ErrorCode").text in {"600", "601"}


@pytest.mark.parametrize(
    "host",
    [
        "autoconfig.bolt.example",
        "autoconfig.elsewhere.example",
        "bolt.example",
        "evil.example",
        "autoconfig.",
        "a b",
        "",
    ],
)
@pytest.mark.parametrize("path", [AUTOCONFIG, "/", "/sign-in/", "/api/v1/me"])
def test_a_name_that_is_not_hosted_is_refused(hosted, plain_static, host, path):
    assert get(host, path).status_code == 400


@pytest.mark.parametrize("label", ["autoconfig", "autodiscover", "mta-sts", "ua-auto-config"])
@pytest.mark.parametrize("path", ["/", "/sign-in/", "/api/v1/me", "/static/x.css", "/admin/", "/metrics"])
def test_a_hosted_domains_names_open_nothing_of_the_panel(hosted, label, path):
    answer = get(f"{label}.acme.example", path)

    assert answer.status_code == 404
    assert not answer.cookies


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("autoconfig.acme.example", "anna@acme-shop.example"),
        ("setup.mailhost.example", "ben@bolt.example"),
        ("setup.mailhost.example", "anna@elsewhere.example"),
        ("setup.mailhost.example", "acme.example"),
        ("setup.mailhost.example", ""),
    ],
)
def test_an_address_elsewhere_is_not_answered(hosted, host, address):
    assert get(host, AUTOCONFIG, emailaddress=address).status_code == 404


def test_a_domain_that_is_switched_off_is_not_answered(hosted):
    with every_tenant("a test lays its ground"):
        Domain.objects.filter(pk=hosted.pk).update(is_enabled=False)
        recalculate(domain_id=hosted.pk)

    assert get("autoconfig.acme.example", AUTOCONFIG).status_code == 400


def test_one_question_costs_one_statement(hosted, django_assert_num_queries):
    with django_assert_num_queries(1):
        get("autoconfig.acme.example", AUTOCONFIG, emailaddress="anna@acme.example")


@pytest.mark.parametrize("mode", ["testing", "enforce", "none", "off"])
def test_the_policy_that_is_served_is_the_one_whose_id_dns_shows(hosted, mode):
    with every_tenant("a test lays its ground"):
        MtaSts.objects.create(domain=hosted, mode=mode, since=hosted.verified_at)

    answer = get("mta-sts.acme.example", "/.well-known/mta-sts.txt")

    records = expected_records(
        "acme.example", challenge="", installation=Installation.from_settings(), keys=[], mta_sts_mode=mode
    )
    shown = [record.value for record in records if record.name == "_mta-sts.acme.example"]
    if mode == "off":
        assert (answer.status_code, shown) == (404, [])
        return
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert shown == [f"v=STSv1; id={hashlib.sha256(answer.content).hexdigest()[:32]}"]
    assert f"mode: {mode}\r\n".encode() in answer.content
    assert (b"mx: " in answer.content) == (mode != "none")


def test_the_pinned_document_is_byte_for_byte_the_one_whose_digest_dns_shows(hosted):
    bodies = {get("ua-auto-config.acme.example", "/.well-known/user-agent-configuration.json").content for _ in "abc"}

    [body] = bodies
    records = expected_records("acme.example", challenge="", installation=Installation.from_settings(), keys=[])
    [shown] = [record.value for record in records if record.name == "_ua-auto-config.acme.example"]
    assert shown == f"v=UAAC1; a=sha256; d={base64.b64encode(hashlib.sha256(body).digest()).decode()}"
    assert json.loads(body)["protocols"]["imap"] == {"host": Installation.from_settings().mail_host}
