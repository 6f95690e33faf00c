"""SPF as receivers evaluate it (RFC 7208)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns.lookup import run_many
from dns.spf import Evaluation, Evaluator, Result, SpfError, parse, parse_term


def check(domain: str, ip: str | None, sender: str = "") -> Evaluation:
    sender = sender or f"anna@{domain}"
    return run_many([lambda asker: Evaluator(asker, ip=ip, sender=sender).check(domain)], at_once=1)[0]


@pytest.mark.parametrize(
    ("record", "ip", "result"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.7", "pass"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "198.51.100.7", "fail"),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::1", "pass"),
        ("v=spf1 ip4:192.0.2.7 ~all", "::ffff:192.0.2.7", "pass"),
        ("v=spf1 a ?all", "203.0.113.5", "pass"),
        ("v=spf1 a/24 ?all", "203.0.113.9", "pass"),
        ("v=spf1 mx -all", "203.0.113.25", "pass"),
        ("v=spf1 mx:other.example -all", "203.0.113.26", "pass"),
        ("v=spf1 include:other.example ~all", "198.51.100.1", "pass"),
        ("v=spf1 include:other.example ~all", "198.51.100.2", "softfail"),
        ("v=spf1 redirect=other.example", "198.51.100.2", "fail"),
        ("v=spf1 exists:%{ir}.list.example -all", "192.0.2.7", "pass"),
        ("v=spf1 exists:%{l}.users.example -all", "192.0.2.7", "pass"),
        ("v=spf1", "192.0.2.7", "neutral"),
        ("v=spf1 -all ip4:192.0.2.7", "192.0.2.7", "fail"),
        ("v=spf1 include:nothing.example -all", "192.0.2.7", "permerror"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "192.0.2.7", "permerror"),
        ("v=spf1 foo:bar -all", "192.0.2.7", "permerror"),
        ("v=spf10 -all", "192.0.2.7", "none"),
    ],
)
def test_who_may_send(dns_server, record, ip, result):
    dns_server.says_text("acme.example", record)
    dns_server.says("acme.example", "A", "203.0.113.5")
    dns_server.says("acme.example", "MX", "10 mail.acme.example.")
    dns_server.says("mail.acme.example", "A", "203.0.113.25")
    dns_server.says_text("other.example", "v=spf1 ip4:198.51.100.1 -all")
    dns_server.says("other.example", "MX", "10 mail.other.example.")
    dns_server.says("mail.other.example", "A", "203.0.113.26")
    dns_server.says("7.2.0.192.list.example", "A", "127.0.0.2")
    dns_server.says("anna.users.example", "A", "127.0.0.2")

    assert check("acme.example", ip).result == result


def test_ten_lookups_pass_and_the_eleventh_ends_it(dns_server):
    for number in range(11):
        dns_server.says_text(f"n{number}.example", "v=spf1 ?all")
    ten = " ".join(f"include:n{number}.example" for number in range(10))
    dns_server.says_text("acme.example", f"v=spf1 {ten} -all")
    dns_server.says_text("bolt.example", f"v=spf1 {ten} include:n10.example -all")

    assert check("acme.example", "192.0.2.7").result is Result.FAIL
    assert check("bolt.example", "192.0.2.7").result is Result.PERMERROR
    assert check("bolt.example", None).lookups == 11


def test_two_lookups_may_find_nothing_and_the_third_ends_it(dns_server):
    dns_server.says_text("acme.example", "v=spf1 a:x1.example a:x2.example -all")
    dns_server.says_text("bolt.example", "v=spf1 a:x1.example a:x2.example a:x3.example -all")

    two, three = check("acme.example", "192.0.2.7"), check("bolt.example", "192.0.2.7")

    assert (two.result, two.voids) == (Result.FAIL, 2)
    assert three.result is Result.PERMERROR
    assert "x3.example" in three.problem


# The examples of RFC 7208, 7.4.
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{p}._spf.example.com", "mx.email.example.com._spf.example.com"),
        ("%{h}.%%.%-.%_", "mx.example.org.%.%20. "),
        ("%{L}.%{S}", "strong-bad.strong-bad%40email.example.com"),
        ("x" * 60 + ".%{d}" * 12, ".".join(["email.example.com"] * 12)),
    ],
)
def test_macros_are_filled_in_as_the_rfcs_examples_have_it(dns_server, text, name):
    dns_server.says("3.2.0.192.in-addr.arpa", "PTR", "a.other.example.", "mx.email.example.com.")
    dns_server.says("mx.email.example.com", "A", "192.0.2.3")
    dns_server.says("a.other.example", "A", "192.0.2.3")

    assert expanded(text, "192.0.2.3") == name


def test_an_ipv6_address_is_filled_in_by_its_digits(dns_server):
    digits = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"

    assert expanded("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01") == f"{digits}.ip6._spf.example.com"


def expanded(text: str, ip: str) -> str:
    def ask(asker):
        evaluator = Evaluator(asker, ip=ip, sender="strong-bad@email.example.com", helo="mx.example.org")
        return evaluator.expand(text, "email.example.com")

    return run_many([ask], at_once=1)[0]


def test_names_with_macros_count_as_lookups_and_as_those_that_find_nothing(dns_server):
    named = " ".join(f"exists:%{{i}}.n{number}.example" for number in range(3))
    dns_server.says_text("acme.example", f"v=spf1 {named} -all")

    listed = check("acme.example", "192.0.2.7")

    assert (listed.result, listed.lookups, listed.voids) == (Result.PERMERROR, 3, 3)
    assert "192.0.2.7.n2.example" in listed.problem


def test_an_include_that_macros_name_is_walked(dns_server):
    dns_server.says_text("acme.example", "v=spf1 include:%{l}.users.%{d} redirect=_spf.%{d}")
    dns_server.says_text("anna.users.acme.example", "v=spf1 ip4:192.0.2.7 -all")
    dns_server.says_text("ben.users.acme.example", "v=spf1 -all")
    dns_server.says_text("_spf.acme.example", "v=spf1 ip4:192.0.2.8 ~all")

    results = [
        check("acme.example", ip, sender).result
        for ip, sender in (
            ("192.0.2.7", "anna@acme.example"),
            ("192.0.2.7", "ben@acme.example"),
            ("192.0.2.8", "ben@acme.example"),
        )
    ]

    assert results == [Result.PASS, Result.SOFTFAIL, Result.PASS]


def test_where_only_lookups_are_counted_names_that_a_message_fills_are_not_asked_for(dns_server):
    named = " ".join(f"exists:%{{i}}.n{number}.example" for number in range(4))
    dns_server.says_text(
        "acme.example", f"v=spf1 {named} include:%{{ir}}.other.example a:v6.example include:_spf.%{{d}} -all"
    )
    dns_server.says("v6.example", "AAAA", "2001:db8::1")
    dns_server.says_text("_spf.acme.example", "v=spf1 ip4:192.0.2.7 -all")

    counted = check("acme.example", None)

    assert (counted.result, counted.lookups, counted.voids, counted.problem) == (Result.FAIL, 7, 0, "")
    assert not [name for name, _ in dns_server.asked if name.endswith(("n0.example", "other.example"))]


def test_an_address_without_a_name_is_a_lookup_that_finds_nothing(dns_server):
    dns_server.says_text("acme.example", "v=spf1 ptr a:x1.example a:x2.example -all")

    assert check("acme.example", "192.0.2.7").result is Result.PERMERROR


def test_records_that_include_each_other_end(dns_server):
    dns_server.says_text("acme.example", "v=spf1 include:bolt.example -all")
    dns_server.says_text("bolt.example", "v=spf1 include:acme.example -all")

    assert check("acme.example", "192.0.2.7").result is Result.PERMERROR


def test_a_silent_dns_is_a_temporary_error(dns_server):
    dns_server.says_text("acme.example", "v=spf1 include:other.example -all")
    dns_server.fails("other.example")

    assert check("acme.example", "192.0.2.7").result is Result.TEMPERROR


def test_a_name_for_an_address_counts_when_it_leads_back(dns_server):
    dns_server.says_text("acme.example", "v=spf1 ptr -all")
    dns_server.says("7.2.0.192.in-addr.arpa", "PTR", "mail.acme.example.")
    before = check("acme.example", "192.0.2.7").result
    dns_server.says("mail.acme.example", "A", "192.0.2.7")

    assert (before, check("acme.example", "192.0.2.7").result) == (Result.FAIL, Result.PASS)


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60))
def test_any_term_is_refused_or_reads_as_it_is_written_again(word):
    try:
        term = parse_term(word)
    except SpfError:
        return
    assert parse_term(str(term)) == term


@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_reader(text):
    with suppress(SpfError):
        parse(f"v=spf1 {text}")
