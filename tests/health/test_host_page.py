"""The mail host's own records on the operator's page and over REST, and the keys that its certificates have."""

import subprocess
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from dns import dane
from dns.models import HostRecord, HostState
from health.host_keys import digests_of_keys
from mailconfig.parameters import Parameters
from mailhost.models import Job
from tests.apiside import Caller, make_key
from tests.routes.cast import Statements, a_member
from tests.webside import signed_in

PAGE = "/health/host/"


@pytest.fixture
def host(db) -> HostState:
    """A host with one record that was found and one that was not."""
    now = timezone.now() - timedelta(hours=1)
    host = HostState.objects.create(
        name=settings.MAILHOST_HOSTNAME, addresses=["192.0.2.25"], checked_at=now, is_signed=False
    )
    add_record(host, "address", "A", host.name, "192.0.2.25", "ok", "")
    add_record(host, "ptr", "PTR", "25.2.0.192.in-addr.arpa", host.name, "missing", "192.0.2.25 has no name.")
    return host


def add_record(host, purpose, kind, name, *found) -> None:
    value, status, problem = found
    HostRecord.objects.create(
        host=host,
        purpose=purpose,
        record_type=kind,
        name=name,
        value=value,
        necessity="required",
        status=status,
        problem=problem,
        last_checked_at=host.checked_at,
    )


def test_the_operator_reads_each_record_what_it_is_for_and_what_is_wrong(operator, host):
    page = operator.get(PAGE).content.decode()

    assert "25.2.0.192.in-addr.arpa" in page
    assert "enter it at whoever lends it" in page
    assert "192.0.2.25 has no name." in page
    assert 'data-copy="192.0.2.25"' in page
    # Why there is no TLSA record.
    assert "without DNSSEC other servers pass it over" in page
    assert PAGE in operator.get("/health/").content.decode()


def test_before_the_first_look_the_page_says_so(operator, db):
    assert "The records are being prepared" in operator.get(PAGE).content.decode()


def test_the_page_asks_as_much_for_many_records_as_for_few(operator, host):
    operator.get(PAGE)
    with Statements() as few:
        operator.get(PAGE)
    for number in range(20):
        add_record(host, "address", "A", host.name, f"198.51.100.{number}", "ok", "")
    with Statements() as many:
        operator.get(PAGE)

    assert len(few) == len(many)


def test_the_operator_has_them_looked_at_at_once(operator, host):
    answer = operator.post(f"{PAGE}look/")

    assert answer.status_code == 302
    assert Job.objects.filter(task="health.tasks.look_at_own_host", finished_at=None).count() == 1
    assert "DNS is being asked" in operator.get(answer.url).content.decode()


def test_nobody_below_the_operator_sees_or_asks(world, plain_static, host):
    rita = signed_in(a_member(world.rita, "owner").user)

    assert [rita.get(PAGE).status_code, rita.post(f"{PAGE}look/").status_code] == [403, 403]
    assert Caller(make_key(world.rita)).call("GET", "/mail-host").status_code == 403


def test_the_operators_program_reads_them(world, host):
    answer = Caller(make_key(world.operator, "owner")).read("/mail-host")

    assert (answer["name"], answer["addresses"], answer["zone_is_signed"]) == (host.name, ["192.0.2.25"], False)
    assert "is not signed" in answer["no_tlsa"]
    assert [(row["type"], row["status"], row["problem"]) for row in answer["records"]] == [
        ("A", "ok", None),
        ("PTR", "missing", "192.0.2.25 has no name."),
    ]


def test_a_program_is_told_that_nothing_was_looked_at_yet(world, db):
    answer = Caller(make_key(world.operator, "owner")).read("/mail-host")

    assert (answer["checked_at"], answer["zone_is_signed"], answer["records"]) == (None, None, [])


def test_the_key_is_that_of_the_certificate_which_postfix_shows(db):
    served = Parameters.from_settings().tls_cert_file.read_bytes()

    assert digests_of_keys() == [dane.digest_in(served)]


def test_the_next_key_stands_beside_it_as_certificate_or_as_public_key(db, settings, tmp_path):
    private, public = tmp_path / "next.key", tmp_path / "next.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", private], check=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    outer = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True, capture_output=True
    )
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], check=True, input=outer.stdout, capture_output=True)
    settings.MAILHOST_TLS_NEXT_KEY = str(public)

    # As openssl has it, which RFC 7671 names for making these records.
    assert digests_of_keys()[1:] == [digest.stdout.decode().split()[0]]


@pytest.mark.parametrize("text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_next_key_that_cannot_be_read_is_told_and_stops_nothing(operator, host, settings, tmp_path, text):
    (tmp_path / "next.pem").write_text(text)
    settings.MAILHOST_TLS_NEXT_KEY = str(tmp_path / "next.pem")

    assert len(digests_of_keys()) == 1
    assert "holds no certificate or public key that can be read" in operator.get(PAGE).content.decode()


def test_a_mail_host_that_is_away_shows_no_key_and_that_is_no_change(db, monkeypatch):
    monkeypatch.setenv("MAILHOST_CONFIG_SMTP_PORT", "9")

    assert digests_of_keys() is None
