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
