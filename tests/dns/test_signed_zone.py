"""DANE for the mail host where BIND signs its zone and another BIND verifies it from a trust anchor on."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from dns import dane
from dns.host_operations import look_at_own_host
from dns.models import HostRecord, HostState
from tests.dns.signed_zones import ADDRESS, FORGED, ISLAND, RIGHT, SignedZones, signed_zones

KEY, NEXT = "11" * 32, "22" * 32
NOW = timezone.now()


@pytest.fixture(scope="module")
def zones(tmp_path_factory) -> Iterator[SignedZones]:
    with signed_zones(tmp_path_factory.mktemp("signed")) as zones:
        yield zones


@pytest.fixture
def host(db, zones, settings):
    """Makes the mail host one of these zones': `host(RIGHT)`; returns its name."""
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{zones.resolver_port}"]
    settings.MAILHOST_AUTHORITATIVE_PORT = zones.port
    settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]
    settings.MAILHOST_BLOCKLISTS = []
    settings.MAILHOST_ADDRESSES = [ADDRESS]
    settings.MAILHOST_SPF_INCLUDE = settings.MAILHOST_DMARC_REPORTS = settings.MAILHOST_SETUP_HOST = ""

    def of(zone: str) -> str:
        settings.MAILHOST_HOSTNAME = f"mail.{zone}"
        return settings.MAILHOST_HOSTNAME

    return of


def tlsa(*keys: str) -> list[tuple[str, str]]:
    """Look at the host, and return what its TLSA records ask for and how they were found."""
    look_at_own_host(NOW, keys)
    return list(HostRecord.objects.filter(record_type="TLSA").order_by("value").values_list("value", "status"))


def test_where_the_zone_is_signed_and_verified_the_key_is_asked_for_and_found(host, zones):
    name = host(RIGHT)

    before = tlsa(KEY)
    zones.enter(RIGHT, dane.name(name), "TLSA", dane.value(KEY))
    found = tlsa(KEY)
    turning = tlsa(KEY, NEXT)
    zones.enter(RIGHT, dane.name(name), "TLSA", dane.value(KEY), dane.value(NEXT))

    assert (before, found) == ([(dane.value(KEY), "missing")], [(dane.value(KEY), "ok")])
    assert turning == [(dane.value(KEY), "ok"), (dane.value(NEXT), "mismatch")]
    assert tlsa(KEY, NEXT) == [(dane.value(KEY), "ok"), (dane.value(NEXT), "ok")]
    state = HostState.objects.get(name=name)
    assert (state.is_signed, state.problems) == (True, [])


def test_signatures_that_the_zone_above_does_not_vouch_for_are_of_no_use(host):
    name = host(ISLAND)

    assert tlsa(KEY) == []
    state = HostState.objects.get(name=name)
    assert state.is_signed is False
    assert "is not signed" in dane.why_not(name, state.is_signed, state.keys)


def test_of_a_zone_whose_signatures_do_not_verify_nothing_is_said(host):
    host(FORGED)

    assert look_at_own_host(NOW, [KEY]) is None
    assert not HostState.objects.exists()
