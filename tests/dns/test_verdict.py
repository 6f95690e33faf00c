"""Found against expected."""

from base64 import b64encode

import pytest

from dns.lookup import Answer, Outcome
from dns.records import SigningKey, expected_records
from dns.verdict import Verdict, judge

KEY = b64encode(bytes(range(200))).decode()
EXPECTED = {
    record.purpose: record
    for record in expected_records(
        "acme.example", challenge="c0ffee", mail_host="mail.mailhost.example", keys=[SigningKey("s1", KEY)]
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
    ("dmarc", ["v=DMARC1; rua=mailto:a@acme.example"], "names no policy"),
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
    answer = Answer(Outcome.TEMPORARY_FAILURE, detail="The name servers did not answer in time.")

    assert judge(EXPECTED[purpose], answer).status == "temporary_failure"
