"""Found against expected."""

from base64 import b64encode

import pytest

from dns.answers import Answer, Outcome, Sight
from dns.records import ExpectedRecord, Installation, SigningKey, expected_records
from dns.verdict import Hints, Verdict, is_shown_by_all, judge, judge_sight

KEY = b64encode(bytes(range(240))).decode()
EXPECTED = {
    record.purpose: record
    for record in expected_records(
        "acme.example",
        challenge="c0ffee",
        installation=Installation("mail.mailhost.example", tls_reports="tls@mailhost.example"),
        keys=[SigningKey("s1", KEY)],
    )
}


def verdict(purpose: str, *values: str) -> Verdict:
    return judge(EXPECTED[purpose], Answer(Outcome.FOUND if values else Outcome.NO_SUCH_NAME, values))


RIGHT = [
    ("ownership", ["mailhost-verification=c0ffee"]),
    ("ownership", ["mailhost-verification=another-claim", "mailhost-verification=c0ffee"]),
    ("mx", ["10 mail.mailhost.example"]),
    ("mx", ["0 mail.mailhost.example", "20 backup.example"]),
    ("spf", ["v=spf1 mx ~all"]),
    ("spf", ["V=SPF1 a +mx include:other.example -all", "google-site-verification=x"]),
    ("dkim", [f"v=DKIM1; k=rsa; p={KEY}"]),
    ("dkim", [f"p={KEY[:40]} {KEY[40:]} ; v=DKIM1;k=rsa;t=s"]),
    ("dkim", [f"k=rsa; h=sha1:sha256; s=email; p={KEY}"]),
    ("dmarc", ["v=DMARC1; p=none"]),
    ("dmarc", ["v=DMARC1;p=Reject; rua=mailto:a@acme.example"]),
    # RFC 9989, 4.7: reports without a policy mean p=none.
    ("dmarc", ["v=DMARC1; rua=mailto:a@acme.example"]),
    ("tls_rpt", ["v=TLSRPTv1;rua=mailto:tls@mailhost.example"]),
]
WRONG = [
    ("ownership", ["mailhost-verification=other"], "shows another value"),
    ("ownership", ['"mailhost-verification=c0ffee"'], "quotes or blanks"),
    ("ownership", ["mailhost-verification=c0ffee "], "quotes or blanks"),
    ("mx", ["10 mail.other.example"], "goes to mail.other.example, not to mail.mailhost.example"),
    ("mx", ["0 ."], "not to mail.mailhost.example"),
    ("mx", ["20 mail.mailhost.example", "5 mail.other.example"], "mail.other.example first"),
    ("spf", ["v=spf1 -all"], "Add “mx”"),
    ("spf", ["v=spf1 mx ~all", "v=spf1 a -all"], "several SPF records"),
    ("dkim", ["v=DKIM1; k=rsa; p="], "revoked"),
    ("dkim", ["v=DKIM1; k=rsa"], "revoked"),
    ("dkim", [f"v=DKIM1; k=ed25519; p={KEY}"], "not one of an RSA key"),
    ("dkim", [f"v=DKIM1; k=rsa; p={KEY[:100]}"], "cut off"),
    ("dkim", [f"v=DKIM1; k=rsa; p={KEY[::-1]}"], "another key"),
    ("dkim", [f"v=DKIM1; k=rsa; h=sha1; p={KEY}"], "SHA-256"),
    ("dkim", [f"v=DKIM1; s=tlsrpt; p={KEY}"], "other services"),
    ("dkim", [f"v=DKIM1; p={KEY}", "another text"], "several TXT records"),
    ("mx", ["10 203.0.113.25"], "names a host, not an address"),
    ("mx", ["10 mail.mailhost.example.acme.example"], "appended to the host"),
    ("mx", ["10 acme.example"], "the domain itself instead of the mail host"),
    ("mx", ["10 _dc-mx.1a2b3c.acme.example"], "behind a web proxy"),
    ("spf", [" v=spf1 mx ~all"], "begins with a quote or a blank"),
    ("spf", ['"v=spf1 mx ~all"'], "begins with a quote or a blank"),
    ("dkim", [f'"v=DKIM1; k=rsa; p={KEY}"'], "quotes around it"),
    ("dkim", [f"v=DKIM1; k=rsa; p={KEY}"[:255]], "cut off after 255 characters"),
    ("dmarc", ["v=DMARC1; adkim=s"], "names no policy"),
    ("dmarc", ["v=DMARC1; p=; rua=mailto:a@acme.example"], "names no policy"),
    ("tls_rpt", ["v=TLSRPTv1; rua=mailto:other@acme.example"], "record differs"),
    ("dmarc", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "several DMARC records"),
]


@pytest.mark.parametrize(("purpose", "values"), RIGHT)
def test_what_does_the_same_is_right(purpose, values):
    assert verdict(purpose, *values) == Verdict("ok")


@pytest.mark.parametrize(("purpose", "values", "words"), WRONG)
def test_what_is_wrong_is_told_in_a_sentence(purpose, values, words):
    found = verdict(purpose, *values)

    assert found.status == "mismatch"
    assert words in found.problem
    assert found.problem.endswith(".")


@pytest.mark.parametrize("purpose", ["ownership", "mx", "spf", "dkim", "dmarc"])
def test_nothing_there_is_missing(purpose):
    assert verdict(purpose).status == "missing"
    assert EXPECTED[purpose].name in verdict(purpose).problem


@pytest.mark.parametrize("purpose", ["spf", "dmarc"])
def test_other_text_records_of_the_name_are_not_meant(purpose):
    assert verdict(purpose, "google-site-verification=x", "v=spf10 mx").status == "missing"


@pytest.mark.parametrize("purpose", ["ownership", "mx", "spf", "dkim", "dmarc"])
def test_silence_is_not_taken_for_absence(purpose):
    assert judge(EXPECTED[purpose], Answer(Outcome.TIMEOUT)).status == "temporary_failure"


# --- several servers ---------------------------------------------------------------------------------------------

SHOWN = Answer(Outcome.FOUND, ("mailhost-verification=c0ffee",))
GONE = Answer(Outcome.NO_SUCH_NAME)
FAILED = Answer(Outcome.SERVER_FAILURE)


def of_servers(recursive: Answer, *answers: Answer) -> Verdict:
    by_server = {f"ns{number}.acme.example": answer for number, answer in enumerate(answers, 1)}
    return judge_sight(EXPECTED["ownership"], Sight(recursive, by_server))


def test_the_authoritative_servers_decide_before_the_resolvers():
    assert of_servers(GONE, SHOWN, SHOWN).status == "ok"
    assert "resolvers still remember" in of_servers(GONE, SHOWN).problem
    assert of_servers(SHOWN, GONE, GONE).status == "missing"


def test_a_server_that_lags_behind_is_named():
    verdict = of_servers(SHOWN, SHOWN, GONE)

    assert verdict.status == "mismatch"
    assert "ns2.acme.example" in verdict.problem


def test_a_server_that_fails_is_passed_over_and_resolvers_stand_in_for_all():
    assert of_servers(GONE, SHOWN, FAILED).status == "ok"
    assert of_servers(SHOWN, FAILED, FAILED).status == "ok"
    assert of_servers(FAILED, FAILED).status == "temporary_failure"


def test_only_a_record_that_every_server_shows_is_shown_by_all():
    def shown(*answers: Answer) -> bool:
        return is_shown_by_all(EXPECTED["ownership"], Sight(SHOWN, dict(enumerate(answers))))

    assert shown(SHOWN, SHOWN)
    assert not shown(SHOWN, GONE)
    assert not shown(SHOWN, FAILED)
    assert not shown()


def test_an_alias_is_no_place_for_proof():
    answer = Answer(Outcome.FOUND, ("mailhost-verification=c0ffee",), aliases=("attacker.example",))

    assert "alias (CNAME)" in judge(EXPECTED["ownership"], answer).problem


def test_where_a_record_landed_by_mistake_is_said():
    twice = judge(EXPECTED["mx"], GONE, Hints(elsewhere=("acme.example.acme.example",)))
    host = judge(EXPECTED["mx"], GONE, Hints(elsewhere=("mail.acme.example",)))

    assert "appended twice" in twice.problem
    assert host.problem == "The record stands at mail.acme.example. Enter it for acme.example."


def test_the_key_of_another_selector_is_recognised():
    other = KEY[4:8] + KEY
    answer = Answer(Outcome.FOUND, (f"v=DKIM1; p={other}",))

    assert "selector s0" in judge(EXPECTED["dkim"], answer, Hints(keys={"s0": other, "s1": KEY})).problem


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        (('0 issue "letsencrypt.org"',), "ok", ""),
        (('0 iodef "mailto:x@acme.example"',), "ok", ""),
        (('0 issue "ca.elsewhere.example"', '0 issue "LetsEncrypt.org"'), "ok", ""),
        (('0 issue "ca.elsewhere.example"',), "mismatch", "Add this one beside them"),
        (('0 issue ";"',), "mismatch", "Add this one beside them"),
        ((), "missing", ""),
    ],
)
def test_caa_is_asked_for_beside_other_authorities(values, status, words):
    expected = ExpectedRecord("caa", "CAA", "acme.example", '0 issue "letsencrypt.org"', "optional")
    outcome = Outcome.FOUND if values else Outcome.NO_SUCH_RECORD

    found = judge(expected, Answer(outcome, values))

    assert found.status == status
    assert words in str(found.problem)
