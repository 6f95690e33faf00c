"""Records reach the stack's name server by dynamic update, signed, and nothing else does."""

import secrets

import pytest
from dns.resolver import NXDOMAIN, Resolver
from dns.tsig import PeerBadSignature

from stack.publish import NotPublished, Published, publish, rdata, withdraw, zone_of


@pytest.fixture
def resolver(stack) -> Resolver:
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], stack.port("dns")
    return resolver


@pytest.fixture
def name() -> str:
    return f"acme-{secrets.token_hex(4)}.example"


def test_new_name_below_example_is_published_and_withdrawn(stack, resolver, name):
    dns = stack.info["dns"]
    long_text = "v=DKIM1; k=rsa; p=" + "A" * 400

    publish(dns, [Published(name, "MX", "10 mail.mailhost.example."), Published(f"key.{name}", "TXT", long_text)])
    [exchange] = resolver.resolve(name, "MX")
    [text] = resolver.resolve(f"key.{name}", "TXT")
    assert exchange.to_text() == "10 mail.mailhost.example."
    assert b"".join(text.strings).decode() == long_text

    withdraw(dns, f"key.{name}", "TXT")
    with pytest.raises(NXDOMAIN):
        resolver.resolve(f"key.{name}", "TXT")


def test_published_record_replaces_the_one_before(stack, resolver, name):
    for value in ("v=spf1 -all", "v=spf1 mx ~all"):
        publish(stack.info["dns"], [Published(name, "TXT", value)])

    assert [record.to_text() for record in resolver.resolve(name, "TXT")] == ['"v=spf1 mx ~all"']


def test_update_without_the_key_is_refused(stack, name):
    dns = stack.info["dns"]
    forged = {**dns, "update_key": {**dns["update_key"], "secret": "AAAA"}}

    with pytest.raises(PeerBadSignature):
        publish(forged, [Published(name, "TXT", "v=spf1 -all")])


def test_name_outside_the_zones_is_refused(stack):
    with pytest.raises(NotPublished, match="in none of the zones"):
        zone_of(stack.info["dns"]["zones"], "acme.test")


def test_quotes_and_backslashes_survive_the_zone_files_form():
    assert rdata(Published("acme.example", "TXT", 'a"b\\c')) == '"a\\"b\\\\c"'
