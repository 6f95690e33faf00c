"""Questions to a real name server on loopback."""

import time

import pytest

from dns.answers import Outcome
from dns.lookup import look_up, look_up_all, may_be_asked, run_many
from tests.dns.scripted_dns import ScriptedDns


def test_strings_of_a_text_are_joined(dns_server):
    dns_server.says_text("long.example", "v=DKIM1; p=" + "A" * 600)

    answer = look_up("long.example", "TXT")

    assert (answer.outcome, answer.values, answer.ttl) == (Outcome.FOUND, ("v=DKIM1; p=" + "A" * 600,), 60)


def test_mail_hosts_are_told_with_their_preference(dns_server):
    dns_server.says("acme.example", "MX", "20 Backup.example.", "10 mail.example.")

    assert look_up("acme.example", "MX").values == ("10 mail.example", "20 backup.example")


def test_an_alias_is_followed(dns_server):
    dns_server.says("acme.example", "CNAME", "elsewhere.example")
    dns_server.says_text("elsewhere.example", "hello")

    answer = look_up("acme.example", "TXT")

    assert (answer.values, answer.aliases) == (("hello",), ("elsewhere.example",))


def test_a_long_answer_comes_over_tcp(dns_server):
    dns_server.says_text("acme.example", *[f"{number:03}" + "x" * 100 for number in range(50)])

    assert len(look_up("acme.example", "TXT").values) == 50


def test_no_such_name_and_no_such_record_are_told_apart(dns_server):
    dns_server.says_text("acme.example", "hello")

    assert look_up("acme.example", "MX").outcome is Outcome.NO_SUCH_RECORD
    assert look_up("bolt.example", "MX").outcome is Outcome.NO_SUCH_NAME


def test_failure_is_temporary(dns_server):
    dns_server.fails("acme.example")

    answer = look_up("acme.example", "TXT")

    assert (answer.outcome, answer.values) == (Outcome.SERVER_FAILURE, ())
    assert "SERVFAIL" in answer.detail


def test_silence_is_temporary_and_costs_at_most_five_seconds(dns_server):
    names = [f"silent{number}.example" for number in range(4)]
    for name in names:
        dns_server.is_silent(name)
    began = time.monotonic()

    answers = look_up_all((name, "TXT") for name in names)

    assert time.monotonic() - began < 5.5
    assert {answer.outcome for answer in answers.values()} == {Outcome.TIMEOUT}


def test_no_server_at_all_is_temporary(settings):
    settings.MAILHOST_NAMESERVERS = ["127.0.0.1@9"]

    assert look_up("acme.example", "TXT").is_temporary


def test_aliases_in_a_circle_end(dns_server):
    dns_server.says("a.example", "CNAME", "b.example")
    dns_server.says("b.example", "CNAME", "a.example")
    began = time.monotonic()

    answer = look_up("a.example", "TXT")

    assert answer.values == ()
    assert time.monotonic() - began < 5.5


def test_a_hostile_text_is_bounded_and_shows_harmlessly(dns_server):
    dns_server.says_text("acme.example", *[f"{number:04}" + "y" * 200 for number in range(250)])
    dns_server.says("bolt.example", "TXT", r'"\027[2J\000<script>"')

    assert len(look_up("acme.example", "TXT").values) == 100
    [shown] = look_up("bolt.example", "TXT").values
    assert shown.isprintable()


# --- authoritative servers ---------------------------------------------------------------------------------------


@pytest.fixture
def second_server(dns_server):
    """Another authoritative server of acme.example, at 127.0.0.2."""
    dns_server.has_servers("acme.example", ns1="127.0.0.1", ns2="127.0.0.2")
    with ScriptedDns("127.0.0.2", dns_server.port) as server:
        yield server


def sight(name: str, record_type: str):
    return run_many([lambda asker: asker.sight(name, record_type)], at_once=1)[0]


def test_every_authoritative_server_is_asked_and_the_resolvers_too(dns_server, second_server):
    dns_server.says_text("acme.example", "new")
    dns_server.remembers_text("acme.example", "old")
    second_server.says_text("acme.example", "newer")

    seen = sight("acme.example", "TXT")

    assert {server: answer.values for server, answer in seen.by_server.items()} == {
        "ns1.acme.example": ("new",),
        "ns2.acme.example": ("newer",),
    }
    assert seen.recursive.values == ("old",)


def test_each_way_to_fail_has_its_own_name(dns_server, second_server):
    dns_server.says_text("acme.example", "hello")
    outcomes = {}
    for name, misbehave in (
        ("lame", second_server.is_lame),
        ("failing", second_server.fails),
        ("silent", second_server.is_silent),
    ):
        misbehave("acme.example")
        outcomes[name] = sight("acme.example", "TXT").by_server["ns2.acme.example"].outcome
    second_server.recovers("acme.example")
    outcomes["unknown"] = sight("acme.example", "TXT").by_server["ns2.acme.example"].outcome
    second_server.says("acme.example", "A", "127.0.0.1")
    outcomes["empty"] = sight("acme.example", "TXT").by_server["ns2.acme.example"].outcome

    assert outcomes == {
        "lame": Outcome.LAME,
        "failing": Outcome.SERVER_FAILURE,
        "silent": Outcome.TIMEOUT,
        "unknown": Outcome.NO_SUCH_NAME,
        "empty": Outcome.NO_SUCH_RECORD,
    }


def test_without_its_authoritative_servers_the_resolvers_still_answer(dns_server):
    dns_server.has_servers("acme.example", ns1="127.0.0.9")
    dns_server.says_text("acme.example", "hello")

    seen = sight("acme.example", "TXT")

    assert (seen.is_authoritative, seen.best.values) == (False, ("hello",))


# The rule itself is held by tests/webhooks/test_sending.py; here, that name servers are under it.
@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.53",
        "169.254.169.254",
        "127.0.0.1",
        "::1",
        "fd00::1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.53",
        "64:ff9b::a00:35",
        "2002:a00:35::1",
        "2001:0:a00:35::",
        "::ffff:10.0.0.53",
    ],
)
def test_no_zone_sends_our_questions_into_our_own_network(settings, dns_server, address):
    settings.MAILHOST_DNS_NETWORKS = []
    dns_server.has_servers("acme.example", ns1=address if ":" not in address else "127.0.0.1")
    dns_server.says_text("acme.example", "hello")

    assert not may_be_asked(address)
    assert sight("acme.example", "TXT").by_server == {}


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "10.53.0.1", "::ffff:10.53.0.1"])
def test_public_servers_and_those_the_operator_allows_are_asked(settings, address):
    settings.MAILHOST_DNS_NETWORKS = ["10.53.0.0/16"]

    assert may_be_asked(address)


def test_a_zone_with_a_hundred_servers_and_endless_aliases_costs_five_seconds_at_most(dns_server):
    dns_server.has_servers("evil.example", **{f"ns{number}": f"127.0.9.{number + 1}" for number in range(100)})
    for number in range(100):
        dns_server.says(f"a{number}.evil.example", "CNAME", f"a{number + 1}.evil.example")
    began = time.monotonic()

    seen = sight("a0.evil.example", "TXT")

    assert time.monotonic() - began < 5
    assert seen.best.values == ()
    assert len(seen.by_server) <= 8


def test_one_run_stops_asking_when_it_has_been_told_enough(dns_server):
    dns_server.says_text("evil.example", *[f"{number:04}" + "z" * 240 for number in range(240)])
    for number in range(40):
        dns_server.says(f"n{number}.evil.example", "CNAME", "evil.example")

    answers = look_up_all((f"n{number}.evil.example", "TXT") for number in range(40))

    read = sum(len(value) for answer in answers.values() for value in answer.values)
    assert read < 40 * 240 * 100
    assert Outcome.TIMEOUT in {answer.outcome for answer in answers.values()}
