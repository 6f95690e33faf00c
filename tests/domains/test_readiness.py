"""What a domain can do, from its proof, its switches and its records."""

from types import SimpleNamespace

import pytest

from domains.models import Domain
from domains.readiness import readiness


def record(purpose: str, status: str = "ok", necessity: str = "required") -> SimpleNamespace:
    return SimpleNamespace(purpose=purpose, status=status, necessity=necessity)


@pytest.fixture
def domain() -> Domain:
    return Domain(domain_name="acme.example", verified_at="2026-11-20T10:00:00Z", is_enabled=True, is_verified=True)


def test_a_domain_with_all_records_receives_and_sends(domain):
    ready = readiness(domain, [record("mx"), record("spf"), record("dkim"), record("dmarc", "missing", "recommended")])

    assert ready.is_complete


def test_a_domain_without_a_key_does_not_send_yet(domain):
    ready = readiness(domain, [record("mx"), record("spf")])

    assert (ready.sends.tone, ready.sends.word) == ("waiting", "No key yet")
    assert ready.receives.tone == "ok"
    assert not ready.is_complete


def test_a_wrong_record_is_told_before_a_missing_key(domain):
    assert readiness(domain, [record("spf", "missing")]).sends.word == "DNS incomplete"
