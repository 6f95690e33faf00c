"""A web server that fetches certificates on demand is told yes for names alone that are proven and lead here."""

import pytest
from django.test import Client

from clientsetup import certificates
from dns.models import DnsRecord, MtaSts, Status
from dns.record_operations import refresh_records
from mailhost.scope import every_tenant


@pytest.fixture
def shown(hosted, world, settings, fresh_cache):
    """Acme's records, all found."""
    from accounts.actors import system_actor

    with every_tenant("a test lays its ground"):
        refresh_records(system_actor(world.acme, "tests"), domain=hosted)
        MtaSts.objects.create(domain=hosted, mode="testing", since=hosted.verified_at)
        refresh_records(system_actor(world.acme, "tests"), domain=hosted)
        DnsRecord.objects.filter(domain=hosted).update(status=Status.OK)
    return hosted


def ask(name: str, **headers) -> int:
    # As Caddy does: by the address of the machine.
    headers = {"host": "127.0.0.1:8000"} | headers
    return Client().get("/internal/tls/allowed", {"domain": name}, headers=headers).status_code


@pytest.mark.parametrize("label", certificates.NAMES)
def test_names_of_a_proven_domain_that_lead_here_are_allowed(shown, label):
    assert ask(f"{label}.acme.example") == 200


@pytest.mark.parametrize(
    "name",
    [
        "acme.example",
        "www.acme.example",
        "autoconfig.bolt.example",
        "autoconfig.elsewhere.example",
        "",
        "..",
        "a b",
        "x" * 300,
    ],
)
def test_any_other_name_is_not(shown, name):
    assert ask(name) == 403


def test_a_name_that_does_not_lead_here_is_not(shown):
    with every_tenant("a test lays its ground"):
        DnsRecord.objects.filter(name="autoconfig.acme.example").update(status=Status.MISMATCH)

    assert ask("autoconfig.acme.example") == 403


def test_the_policy_host_is_allowed_while_there_is_a_policy(shown):
    with every_tenant("a test lays its ground"):
        MtaSts.objects.update(mode="off")

    assert ask("mta-sts.acme.example") == 403


def test_nobody_else_may_ask(shown):
    assert ask("autoconfig.acme.example", **{"x-forwarded-for": "203.0.113.9"}) == 404


def test_too_many_questions_are_refused(shown, monkeypatch):
    monkeypatch.setattr(certificates, "MOST_IN_A_MINUTE", 3)

    assert [ask("autoconfig.acme.example") for _ in range(5)] == [200, 200, 200, 429, 429]
