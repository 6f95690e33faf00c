"""The DNS tools over REST, about domains hosted here or anywhere."""

import pytest
from django.core.cache import cache
from django.utils import translation

from dns import dkim, remembered
from mailhost.said import translated
from tests.apiside import Caller, assert_problem, errors_of, make_cast, make_key
from tests.webside import fresh_cache  # noqa: F401  a fixture


@pytest.fixture
def caller(db, dns_server, settings, fresh_cache) -> Caller:  # noqa: F811  the fixture of that name
    settings.MAILHOST_BLOCKLISTS = ["list.example", "other.example"]
    return make_cast().acme.caller()


def test_mail_hosts_are_told_with_their_addresses(caller, dns_server):
    dns_server.says("shop.example", "MX", "10 mail.shop.example.", "20 gone.shop.example.")
    dns_server.says("mail.shop.example", "A", "203.0.113.25")

    found = caller.read("/dns/mx/shop.example")

    assert (found["object"], found["kind"], found["name"]) == ("dns_lookup", "mx", "shop.example")
    assert found["found"] == ["10 mail.shop.example", "20 gone.shop.example"]
    assert found["details"]["hosts"][0] == {
        "preference": 10,
        "host": "mail.shop.example",
        "addresses": ["203.0.113.25"],
    }
    assert found["problems"] == ["gone.shop.example has no address, so no mail reaches it."]


def test_spf_is_counted(caller, dns_server):
    dns_server.says_text("shop.example", "v=spf1 include:other.example a +all")
    dns_server.says("shop.example", "A", "203.0.113.5")
    dns_server.says_text("other.example", "v=spf1 mx -all")
    dns_server.says("other.example", "MX", "10 mail.other.example.")

    found = caller.read("/dns/spf/shop.example")

    assert (found["details"]["lookups"], found["details"]["includes"]) == (3, ["other.example"])
    assert "+all lets everybody send" in found["problems"][0]


def test_a_key_is_measured(caller, dns_server):
    pair = dkim.make_key()
    dns_server.says_text("s1._domainkey.shop.example", dkim.public_record(pair.public_key))

    named = caller.read("/dns/dkim/s1._domainkey.shop.example")
    guessed = caller.read("/dns/dkim/shop.example")

    assert (named["details"]["bits"], named["problems"]) == (2048, [])
    assert [key["name"] for key in guessed["details"]["keys"]] == ["s1._domainkey.shop.example"]


def test_dmarc_is_found_above_a_name(caller, dns_server):
    dns_server.says_text("_dmarc.shop.example", "v=DMARC1; p=reject; sp=quarantine; pct=50; rua=mailto:a@shop.example")

    found = caller.read("/dns/dmarc/news.shop.example")

    assert (found["details"]["at"], found["details"]["policy"]) == ("shop.example", "quarantine")
    assert "pct is no longer part of DMARC" in found["problems"][0]


def test_a_server_that_fails_is_no_missing_record(caller, dns_server):
    dns_server.fails("shop.example")

    found = caller.read("/dns/mx/shop.example")

    assert (found["outcome"], found["found"]) == ("server_failure", [])
    assert "SERVFAIL" in found["problems"][0]


@pytest.mark.parametrize(
    ("kind", "at", "value"),
    [
        ("mta-sts", "_mta-sts.shop.example", "v=STSv1; id=1"),
        ("tls-rpt", "_smtp._tls.shop.example", "v=TLSRPTv1"),
    ],
)
def test_transport_records_are_found(caller, dns_server, kind, at, value):
    dns_server.says_text(at, value)

    assert caller.read(f"/dns/{kind}/shop.example")["found"] == [value]


def test_the_name_of_an_address_must_lead_back(caller, dns_server):
    dns_server.says("25.113.0.203.in-addr.arpa", "PTR", "mail.shop.example.")
    before = caller.read("/dns/ptr/203.0.113.25")
    # Another prefix: what was found is forgotten.
    cache.key_prefix += "-later"
    dns_server.says("mail.shop.example", "A", "203.0.113.25")

    after = caller.read("/dns/ptr/203.0.113.25")

    assert "does not lead back" in before["problems"][0]
    assert (after["problems"], after["details"]["confirmed"]) == ([], ["mail.shop.example"])


def test_block_lists_are_asked_and_a_refusal_is_no_listing(caller, dns_server):
    dns_server.says("25.113.0.203.list.example", "A", "127.0.0.2")
    dns_server.says("25.113.0.203.other.example", "A", "127.255.255.254")
    dns_server.refuses("26.113.0.203.list.example")
    dns_server.fails("26.113.0.203.other.example")

    found = caller.read("/dns/blocklists/203.0.113.25")
    other = caller.read("/dns/blocklists/203.0.113.26")

    assert (found["found"], found["details"]["silent"]) == (["list.example"], ["other.example"])
    assert found["problems"][1].startswith("other.example refused to answer this resolver.")
    # One list says that it refuses, and of the other nothing is known.
    assert (other["found"], other["details"]["silent"]) == ([], ["list.example", "other.example"])
    assert "MAILHOST_NAMESERVERS" in other["problems"][0]
    assert other["problems"][1] == "other.example gave no answer."


def test_one_check_looks_at_all_of_it(caller, dns_server):
    dns_server.says_text("shop.example", "v=spf1 ip4:203.0.113.25 -all")
    dns_server.says("shop.example", "MX", "10 mail.shop.example.")

    answer = caller.call("POST", "/dns/check", {"domain": "Shop.Example.", "ip": "203.0.113.25"}).json()

    assert answer["domain"] == "shop.example"
    assert set(answer["result"]) == {"mx", "spf", "dkim", "dmarc", "mta_sts", "tls_rpt", "sender"}
    assert answer["result"]["sender"]["spf"] == "pass"


def test_an_spf_record_is_made_from_choices(caller):
    body = {"mx": True, "ip4": ["192.0.2.0/24"], "include": ["_spf.mailhost.example"], "policy": "fail"}

    made = caller.call("POST", "/dns/spf", body).json()

    assert made["value"] == "v=spf1 mx ip4:192.0.2.0/24 include:_spf.mailhost.example -all"
    assert made["meaning"][0] == "The domain's mail hosts (MX) may send for it."


def test_a_dmarc_record_is_made_from_choices(caller):
    body = {"policy": "quarantine", "subdomain_policy": "reject", "rua": ["dmarc@shop.example"], "testing": True}

    made = caller.call("POST", "/dns/dmarc", body).json()

    assert made["value"] == "v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@shop.example; t=y"
    assert "pct" not in made["value"]


def test_every_choice_of_a_dmarc_record_is_put_into_words(caller):
    body = {"policy": "reject", "ruf": ["a@shop.example", "b@shop.example"], "failure_options": "1:d"}

    made = caller.call("POST", "/dns/dmarc", body).json()

    assert made["value"] == "v=DMARC1; p=reject; ruf=mailto:a@shop.example,mailto:b@shop.example; fo=1:d"
    assert made["meaning"] == [
        "Receivers refuse mail that fails.",
        "Nobody gets reports, so nobody sees what fails. Name an address in rua.",
        "Reports of single messages go to a@shop.example, b@shop.example; few receivers send them.",
        "One is asked for when SPF or DKIM does not pass for the domain, even if the other does.",
        "One is asked for when a DKIM signature does not verify.",
    ]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/dns/spf", {"ip4": ["192.0.2.1/24"]}, ("#/ip4", "invalid_network")),
        ("/dns/spf", {"ip4": ["2001:db8::1"]}, ("#/ip4", "invalid_network")),
        ("/dns/spf", {"include": ["a b.example"]}, ("#/include", "invalid_domain")),
        ("/dns/spf", {"policy": "pass"}, ("#/policy", "invalid_policy")),
        ("/dns/spf", {"include": [f"n{number}.example" for number in range(11)]}, ("#/include", "too_many")),
        ("/dns/dmarc", {"policy": "maybe"}, ("#/policy", "invalid_policy")),
        ("/dns/dmarc", {"policy": "none", "rua": ["a@b.example; p=none"]}, ("#/rua", "invalid_address")),
        ("/dns/dmarc", {"policy": "none", "failure_options": "x"}, ("#/failure_options", "invalid_failure_options")),
        ("/dns/check", {"domain": "shop.example", "ip": "nowhere"}, ("#/ip", "invalid_address")),
        ("/dns/check", {"domain": "shop.example", "ip": "fe80::1%1"}, ("#/ip", "invalid_address")),
    ],
)
def test_a_choice_that_makes_no_record_is_named(caller, path, body, error):
    assert errors_of(caller.call("POST", path, body)) == [error]


@pytest.mark.parametrize("path", ["mx/;id", "mx/$(id).example", "ptr/shop.example", "any/shop.example"])
def test_what_is_no_name_is_asked_of_nobody(caller, dns_server, path):
    answer = caller.call("GET", f"/dns/{path}")

    assert_problem(answer, 422, "validation_failed")
    assert dns_server.asked == []


def test_an_answer_is_repeated_for_as_long_as_dns_says(caller, dns_server):
    dns_server.says("shop.example", "MX", "10 mail.shop.example.")
    first = caller.read("/dns/mx/shop.example")
    asked = len(dns_server.asked)

    second = caller.read("/dns/mx/SHOP.example")

    assert (first, len(dns_server.asked)) == (second, asked)


def kept_for() -> list[int]:
    """Return for how many seconds more each answer is kept that was remembered in this test."""
    redis = cache._cache.get_client(None, write=True)
    keys = redis.scan_iter(f"{cache.key_prefix}:*:dns:*", count=1000)
    return [redis.ttl(key) for key in keys if b":dns:count:" not in key]


def test_an_answer_is_forgotten_when_dns_says_and_a_failure_soon(caller, dns_server):
    dns_server.says("shop.example", "MX", "10 mail.shop.example.")
    dns_server.says("mail.shop.example", "A", "203.0.113.25")
    ttl = caller.read("/dns/mx/shop.example")["ttl"]
    [answer] = kept_for()
    cache.key_prefix += "-later"
    dns_server.fails("shop.example")
    caller.read("/dns/mx/shop.example")
    [failure] = kept_for()

    assert (ttl, 30 < answer <= 60, 0 < failure <= 30) == (60, True, True)


def test_lookups_are_limited_per_key(db, dns_server, fresh_cache, monkeypatch):  # noqa: F811  the fixture of that name
    monkeypatch.setattr(remembered, "MOST_A_MINUTE", 2)
    acme = make_cast().acme
    one, other = acme.caller(), Caller(make_key(acme.tenant))

    codes = [one.call("GET", f"/dns/mx/shop{number}.example").status_code for number in range(3)]
    codes.append(one.call("POST", "/dns/check", {"domain": "shop.example"}).status_code)

    assert codes == [200, 200, 429, 429]
    # What is remembered costs nobody anything, and another key has a count of its own.
    assert one.call("GET", "/dns/mx/shop1.example").status_code == 200
    assert other.call("GET", "/dns/mx/shop9.example").status_code == 200


def test_what_leads_on_and_on_is_followed_a_few_steps(caller, dns_server):
    for number in range(100):
        dns_server.says_text(
            f"n{number}.example", f"v=spf1 include:n{number + 1}.example redirect=n{number + 2}.example"
        )
    dns_server.says("a.example", "CNAME", "b.example")
    dns_server.says("b.example", "CNAME", "a.example")

    deep, circle = caller.read("/dns/spf/n0.example"), caller.read("/dns/mx/a.example")

    assert deep["found"] == ["v=spf1 include:n1.example redirect=n2.example"]
    assert "is included too deep" in " ".join(deep["problems"])
    assert (circle["found"], circle["outcome"]) == ([], "unreadable")
    assert len(dns_server.asked) < 60


def test_what_strangers_wrote_shows_harmlessly(caller, dns_server):
    dns_server.says("shop.example", "TXT", r'"v=spf1 \027[2J<script>alert(1)</script> -all"')

    [found] = caller.read("/dns/spf/shop.example")["found"]

    assert found.isprintable()


def test_a_mail_host_that_is_right_has_nothing_said_of_it(caller, dns_server):
    dns_server.says("mail.shop.example", "A", "203.0.113.25")
    dns_server.says_text("mail.shop.example", "v=spf1 a -all")
    dns_server.says("25.113.0.203.in-addr.arpa", "PTR", "mail.shop.example.")

    found = caller.read("/dns/host/mail.shop.example")

    assert (found["found"], found["problems"]) == (["203.0.113.25"], [])
    assert found["details"]["spf"] == "v=spf1 a -all"
    assert found["details"]["addresses"] == [
        {
            "address": "203.0.113.25",
            "names": ["mail.shop.example"],
            "confirmed": ["mail.shop.example"],
            "listed_on": [],
        }
    ]


def test_what_a_mail_host_lacks_is_said(caller, dns_server):
    dns_server.says("mail.shop.example", "A", "203.0.113.25", "203.0.113.26")
    dns_server.says("25.113.0.203.in-addr.arpa", "PTR", "other.shop.example.")
    dns_server.says("other.shop.example", "A", "203.0.113.25")
    dns_server.says("25.113.0.203.list.example", "A", "127.0.0.2")

    said = " ".join(caller.read("/dns/host/mail.shop.example")["problems"])

    assert "203.0.113.25 is named other.shop.example, not mail.shop.example." in said
    assert "203.0.113.26 has no name" in said
    assert "203.0.113.25 is on list.example." in said
    assert "one SPF record" in said
    assert caller.read("/dns/host/gone.shop.example")["problems"][0] == "gone.shop.example has no address."


def test_what_is_repeated_is_said_in_the_language_of_who_asks(db, dns_server, fresh_cache):  # noqa: F811
    acme = make_cast().acme
    dns_server.says("shop.example", "A", "203.0.113.5")
    remembered.look(acme.actor, "spf", "shop.example")
    dns_server.fails("shop.example")

    again = remembered.look(acme.actor, "spf", "shop.example")

    with translation.override("de"):
        assert [translated(problem) for problem in again["problems"]] == ["Es gibt keinen SPF-Eintrag."]
