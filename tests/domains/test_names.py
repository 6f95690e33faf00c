"""What a domain name is (domains/names.py)."""

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domains.names import display_name, normalise_domain, parents
from mailhost.errors import Refused


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("acme.example", "acme.example"),
        ("ACME.Example", "acme.example"),
        ("acme.example.", "acme.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("STRAßE.example", "xn--strae-oqa.example"),
        ("XN--STRAE-OQA.example", "xn--strae-oqa.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Bücher.Example.", "xn--bcher-kva.example"),
        ("例え.example", "xn--r8jz45g.example"),
        ("a-b.c.d.example", "a-b.c.d.example"),
        ("1.example", "1.example"),
        ("mail.acme.co.uk", "mail.acme.co.uk"),
    ],
)
def test_each_spelling_has_one_stored_form(text, stored):
    assert normalise_domain(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "acme", "com", "co.uk", "xn--p1ai", "example", "github.io"),
        *("localhost", "a.localhost", "acme.test", "acme.invalid", "acme.local", "acme.onion", "acme.internal"),
        *("acme.alt", "acme.localdomain", "1.0.0.127.in-addr.arpa", "acme.home.arpa"),
        *("1.2.3.4", "[1.2.3.4]", "::1", "[IPv6:::1]", "1.2.3.04", "acme.123"),
        *(".acme.example", "acme..example", "acme.example..", "*.acme.example", "_dmarc.acme.example"),
        *("-acme.example", "acme-.example", "ac--me.example", "xn--zz.example", "xn--acme-.example"),
        *("ａcme.example", "acme。example", "ﬀ.example", "\u212a.example", "bu\u0308cher.example", "İ.example"),
        *(
            "acme.example\n",
            " acme.example",
            "acme .example",
            "acme.exam\u00adple",
            "acme\u200b.example",
            "a\0.example",
        ),
        *(
            "acme.example/x",
            "acme.example:25",
            "acme|x.example",
            "a%00.example",
            "a,b.example",
            "a;b.example",
            "a@b.example",
        ),
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 4) + ".example1",
        # One character more than leaves room for the name of a signing key.
        ".".join(["a" * 60] * 3 + ["b" * 33, "example"]),
        "".join(chr(0x4E00 + 37 * step) for step in range(30)) + ".example",
        "a." * 5000 + "example",
    ],
)
def test_what_nobody_can_own_is_refused_under_its_field(text):
    with pytest.raises(Refused) as refused:
        normalise_domain(text, field="domain")

    assert (refused.value.code, refused.value.field) == ("invalid_domain", "domain")
    assert refused.value.message.endswith(".")
    assert refused.value.message.isprintable()


def test_a_cyrillic_twin_is_another_name():
    assert normalise_domain("аcme.example") == "xn--cme-5cd.example"


def test_reading_shows_letters():
    assert display_name("xn--strae-oqa.example") == "straße.example"
    assert display_name("acme.example") == "acme.example"


def test_parents_stop_at_the_public_suffix():
    assert parents("a.b.acme.co.uk") == ["b.acme.co.uk", "acme.co.uk"]
    assert parents("acme.example") == []


LABELS = st.text(
    st.one_of(st.sampled_from("abzABZ019-._@ \t\n\0:/|%*+。．"), st.characters(max_codepoint=0x2FFF)), max_size=12
)


@given(st.lists(LABELS, min_size=1, max_size=4).map(".".join))
@example("xn--.example")
def test_whatever_is_accepted_is_plain_and_stays_as_it_is(text):
    try:
        stored = normalise_domain(text)
    except Refused:
        return

    assert set(stored) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert normalise_domain(stored) == stored
    assert normalise_domain(stored.upper()) == stored
    assert normalise_domain(display_name(stored)) == stored
    assert all(0 < len(label) <= 63 for label in stored.split("."))
    assert idna.encode(stored, strict=True).decode() == stored
