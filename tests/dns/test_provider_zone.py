"""A zone at a provider as one act reads and changes it: bounds, pages, forms of records, and where the token goes."""

import time

import pytest
from django.utils.translation import override

from dns import digitalocean, provider_zone
from dns.provider_zone import ProviderZone
from dns.providers import PROVIDERS
from dns.zone_writing import Bound, NotPublished
from tests.dns.stand_in import TOKEN


@pytest.fixture
def zone(provider, api) -> ProviderZone:
    """The way into the zone, for one act."""
    return ProviderZone(provider, "acme.example", TOKEN)


def test_a_provider_that_says_nothing_costs_as_long_as_the_bound(provider, api):
    api.silent_for = 4
    zone = ProviderZone(provider, "acme.example", TOKEN, Bound(0.5))

    began = time.monotonic()
    with pytest.raises(NotPublished, match="took too long"):
        zone.check()

    assert time.monotonic() - began < 3


def test_the_token_is_shown_by_nothing_that_holds_it(zone):
    zone.check()

    assert TOKEN not in repr(zone) + repr(zone._records.api)


def test_a_failure_on_the_way_is_said_in_the_language_of_whoever_asked(zone, api):
    zone.check()
    api.token = "another"

    with override("de"), pytest.raises(NotPublished, match="nimmt dieses Token nicht an"):
        zone.read({("acme.example", "TXT")})


def test_the_api_is_reached_by_the_guarded_client_alone(zone, api, settings):
    api.redirects_to = "http://127.0.0.1:1/"
    with pytest.raises(NotPublished, match="answered 302"):
        zone.check()
    settings.MAILHOST_WEBHOOK_NETWORKS = []
    asked = len(api.requests)

    with pytest.raises(NotPublished, match="could not be reached"):
        zone.check()

    assert len(api.requests) == asked


def test_a_zone_of_many_pages_is_read_to_its_end(zone, api):
    for number in range(230):
        api.enters("TXT", "acme.example", f'"note {number}"')

    found = zone.read({("acme.example", "TXT")})

    assert len(found["acme.example", "TXT"]) == 230


@pytest.mark.parametrize("answer", [None, [], {}, {"domain_records": None}, {"success": True, "result": [{"a": 1}]}])
def test_an_answer_that_is_none_is_said(zone, api, monkeypatch, answer):
    monkeypatch.setattr(api, "answer", lambda *_arguments: (200, answer))

    with pytest.raises(NotPublished, match="answered"):
        zone.check()


@pytest.mark.parametrize("further", ["http://127.0.0.1:1/v2/steal", "@127.0.0.1:1/"])
@pytest.mark.parametrize("provider", [PROVIDERS["digitalocean"]], indirect=True)
def test_the_token_goes_to_no_other_place_that_an_answer_names(zone, api, monkeypatch, further):
    listed = {"domain_records": [], "links": {"pages": {"next": further}}}
    monkeypatch.setattr(api, "answer", lambda *_arguments: (200, listed))

    with pytest.raises(NotPublished, match="answered what cannot be read"):
        zone.read({("acme.example", "TXT")})


@pytest.mark.parametrize(
    ("record_type", "data", "said"),
    [
        ("TXT", '"v=spf1 -all"', ""),
        ("TXT", '"a \\"word\\""', ""),
        ("TXT", '"a \\\\ b"', "backslash"),
        ("TXT", f'"{"x" * 255}" "{"x" * 255}"', "longer"),
        ("CAA", '0 issue "letsencrypt.org"', ""),
        ("CAA", '0 issue "letsencrypt.org; accounturi=https://ca.example/1"', "without parameters"),
        ("CAA", '0 issue ";"', "without parameters"),
        ("MX", "0 .", "without a host"),
        ("SRV", "0 0 0 .", ""),
        ("TLSA", "3 1 1 00", "of the type TLSA"),
    ],
)
def test_what_digitalocean_cannot_hold_is_known(record_type, data, said):
    assert said in digitalocean.cannot(record_type, data)
    assert bool(said) == bool(digitalocean.cannot(record_type, data))


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ("plain text", '"plain text"'),
        ('"quoted text"', '"quoted text"'),
        ('a "word" and \\', '"a \\"word\\" and \\\\"'),
        ("x" * 300, f'"{"x" * 255}" "{"x" * 45}"'),
    ],
)
def test_texts_are_read_with_and_without_quotes(content, data):
    assert provider_zone.data_of("TXT", content) == data
