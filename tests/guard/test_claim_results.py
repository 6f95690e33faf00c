"""Which Authentication-Results headers pretend to be ours."""

import pytest

from guard.results import claims_to_be, submission_results

HOST = "mail.mailhost.example"


@pytest.mark.parametrize(
    "value",
    [
        b"mail.mailhost.example; dkim=pass",
        b" mail.mailhost.example; none",
        b"mail.mailhost.example",
        b"MAIL.Mailhost.Example; dkim=pass",
        b"mail.mailhost.example.; dkim=pass",
        b"mail.mailhost.example 1; dkim=pass",
        b"mail.mailhost.example/1; dkim=pass",
        b"mail.mailhost.example(x); dkim=pass",
        b"(x) mail.mailhost.example; dkim=pass",
        b"(x (y) \\) z)\n (a)\tmail.mailhost.example; dkim=pass",
        b'"mail.mailhost.example"; dkim=pass',
        b'"mail.mail\\host.example"; dkim=pass',
        b'(x)"MAIL.mailhost.example" ; dkim=pass',
        b"\n mail.mailhost.example;\n dkim=pass",
        b"\r\n mail.mailhost.example; dkim=pass",
        b"mail.mailhost.example=x",
    ],
)
def test_our_name_in_any_writing_is_ours(value: bytes):
    assert claims_to_be(value, HOST)


NAMELESS = [b"", b" ", b"(unclosed mail.mailhost.example", b";", b'"unclosed', b"\x00", b"(", b"\\"]


@pytest.mark.parametrize("value", NAMELESS)
def test_what_names_nobody_for_sure_is_taken_for_ours(value: bytes):
    assert claims_to_be(value, HOST)


@pytest.mark.parametrize(
    "value",
    [
        b"mx.elsewhere.example; dkim=pass",
        b"(mail.mailhost.example) mx.elsewhere.example; dkim=pass",
        b"mail.mailhost.example.elsewhere.example; dkim=pass",
        b"xmail.mailhost.example; dkim=pass",
        b'"mail.mailhost.example x"; dkim=pass',
        b"spf=pass (mail.mailhost.example) smtp.mailfrom=x",
        b"i=1; mail.mailhost.example; dkim=pass",
    ],
)
def test_another_name_is_left_alone(value: bytes):
    assert not claims_to_be(value, HOST)


def test_our_own_verdict_is_ours_and_keeps_the_login_to_itself():
    assert submission_results(HOST) == b" mail.mailhost.example; auth=pass"
    assert claims_to_be(submission_results(HOST), HOST)
