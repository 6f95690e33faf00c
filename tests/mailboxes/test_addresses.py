"""What an address is (mailboxes/addresses.py)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailboxes.addresses import (
    base_address,
    display_address,
    normalise_address,
    normalise_source,
    normalise_target,
)
from mailhost.errors import Refused

EACH = pytest.mark.parametrize("normalise", [normalise_address, normalise_source, normalise_target])


@EACH
@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("anna@acme.example", "anna@acme.example"),
        ("Anna.Berg@ACME.example.", "anna.berg@acme.example"),
        ("a_b-c.9@acme.example", "a_b-c.9@acme.example"),
        ("0@acme.example", "0@acme.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
    ],
)
def test_each_spelling_has_one_stored_form(normalise, text, stored):
    assert normalise(text) == stored


@EACH
@pytest.mark.parametrize(
    "text",
    [
        *("", "anna", "root", "@", "anna@", "anna@acme", "anna@localhost", "anna@[127.0.0.1]", "anna@127.0.0.1"),
        *("|cmd@acme.example", "/etc/passwd@acme.example", ":include:/x@acme.example", "~user@acme.example"),
        *("\\user@acme.example", "=cmd@acme.example", "-oQ@acme.example", "a,b@acme.example", "a;b@acme.example"),
        *("a b@acme.example", "a\tb@acme.example", "a\0@acme.example", "a\r\n@acme.example", "a\x85@acme.example"),
        *("a\u2028@acme.example", "anna@acme.example\n", " anna@acme.example", "anna@acme.example, b@acme.example"),
        *('"../../x"@acme.example', '"a b"@acme.example', "(x)anna@acme.example", "<anna@acme.example>"),
        *("user%ext.example@acme.example", "ext!user@acme.example", "@a.example:user@acme.example"),
        *("a@b@acme.example", "%u@acme.example", "%%@acme.example", "$x@acme.example", "`x`@acme.example"),
        *("..@acme.example", ".a@acme.example", "a.@acme.example", "a..b@acme.example", "a/../b@acme.example"),
        *("-a@acme.example", "a*@acme.example", "a" * 65 + "@acme.example", "a" * 300 + "@acme.example"),
        *("admín@acme.example", "ｂob@acme.example", "ßob@acme.example", "admi\u0301n@acme.example", "😀@acme.example"),
        "a@" + ".".join(["a" * 62] * 3) + ".abc." + "b" * 60 + ".example",
    ],
)
def test_what_a_daemon_could_misread_is_refused_under_its_field(normalise, text):
    with pytest.raises(Refused) as refused:
        normalise(text, field="who")

    assert refused.value.code in {"invalid_address", "invalid_domain"}
    assert refused.value.field == "who"
    assert refused.value.message.isprintable()


def test_letters_beyond_ascii_are_named_as_the_reason():
    with pytest.raises(Refused, match="letters beyond a–z"):
        normalise_address("jürgen@acme.example")


@pytest.mark.parametrize("text", ["*@acme.example", "@acme.example", "@ACME.example"])
def test_a_catch_all_has_one_stored_form(text):
    assert normalise_source(text) == "@acme.example"


@pytest.mark.parametrize("normalise", [normalise_address, normalise_target])
@pytest.mark.parametrize("text", ["*@acme.example", "@acme.example"])
def test_a_catch_all_is_no_mailbox_and_no_target(normalise, text):
    with pytest.raises(Refused):
        normalise(text)


@pytest.mark.parametrize("normalise", [normalise_address, normalise_source])
def test_the_delimiter_stays_for_details(normalise):
    with pytest.raises(Refused, match="is a detail, and the address is anna"):
        normalise("anna+news@acme.example")


@pytest.mark.parametrize(
    "text", ["anna+news@acme.example", "o'brien@ext.example", "srs0=ab=cd@ext.example", "a&b@ext.example"]
)
def test_targets_elsewhere_may_have_more_signs(text):
    assert normalise_target(text) == text


def test_the_detail_is_not_part_of_who_reads():
    assert base_address("anna+news@acme.example") == "anna@acme.example"
    assert base_address("anna@acme.example") == "anna@acme.example"


def test_reading_shows_letters_and_the_star():
    assert display_address("@xn--strae-oqa.example") == "*@straße.example"
    assert display_address("anna@acme.example") == "anna@acme.example"


SIGNS = st.one_of(
    st.sampled_from("annaXZ09._-+@@%|/:,;~'\"\\ \t\r\n\0*!<>()[]{}$`"), st.characters(max_codepoint=0x2FFF)
)


@EACH
@given(local=st.text(SIGNS, max_size=20), domain=st.sampled_from(["acme.example", "ACME.example.", "straße.example"]))
def test_whatever_is_accepted_is_one_plain_address(normalise, local, domain):
    try:
        stored = normalise(f"{local}@{domain}")
    except Refused:
        return

    assert re.fullmatch(r"(?:[a-z0-9_][a-z0-9._+=&'~#-]*)?@[a-z0-9.-]+\.example", stored)
    assert ".." not in stored
    assert normalise(stored) == stored
    assert len(stored) <= 254
