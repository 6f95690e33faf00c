"""Questions to a real name server on loopback."""

import time

import pytest

from dns.lookup import Answer, Outcome, has_ownership_proof, look_up, look_up_all
from domains.models import Domain
from mailhost.errors import Refused


def test_strings_of_a_text_are_joined(dns_server):
    dns_server.says_text("long.example", "v=DKIM1; p=" + "A" * 600)

    assert look_up("long.example", "TXT") == Answer(Outcome.FOUND, ("v=DKIM1; p=" + "A" * 600,))


def test_mail_hosts_are_told_with_their_preference(dns_server):
    dns_server.says("acme.example", "MX", "20 Backup.example.", "10 mail.example.")

    assert look_up("acme.example", "MX").values == ("10 mail.example", "20 backup.example")


def test_an_alias_is_followed(dns_server):
    dns_server.says("acme.example", "CNAME", "elsewhere.example")
    dns_server.says_text("elsewhere.example", "hello")

    assert look_up("acme.example", "TXT").values == ("hello",)


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

    assert (answer.outcome, answer.values) == (Outcome.TEMPORARY_FAILURE, ())
    assert "SERVFAIL" in answer.detail


def test_silence_is_temporary_and_costs_at_most_five_seconds(dns_server):
    names = [f"silent{number}.example" for number in range(4)]
    for name in names:
        dns_server.is_silent(name)
    began = time.monotonic()

    answers = look_up_all((name, "TXT") for name in names)

    assert time.monotonic() - began < 5.5
    assert {answer.outcome for answer in answers.values()} == {Outcome.TEMPORARY_FAILURE}


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


@pytest.mark.parametrize(
    ("values", "proven"),
    [
        (["mailhost-verification=c0ffee"], True),
        (["mailhost-verification=other", "mailhost-verification=c0ffee"], True),
        (["mailhost-verification=other"], False),
        (["mailhost-verification=c0ffee2"], False),
        (["Mailhost-Verification=C0FFEE"], False),
        ([], False),
    ],
)
def test_only_the_domains_own_challenge_is_proof(dns_server, values, proven):
    if values:
        dns_server.says_text("_mailhost-challenge.acme.example", *values)

    assert has_ownership_proof(Domain(domain_name="acme.example", challenge="c0ffee")) is proven


def test_without_an_answer_there_is_neither_proof_nor_lack_of_it(dns_server):
    dns_server.fails("_mailhost-challenge.acme.example")

    with pytest.raises(Refused) as refusal:
        has_ownership_proof(Domain(domain_name="acme.example", challenge="c0ffee"))

    assert refusal.value.code == "dns_unavailable"
    assert "_mailhost-challenge.acme.example" in refusal.value.message
