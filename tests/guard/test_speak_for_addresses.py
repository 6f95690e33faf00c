"""Which addresses a whole header block speaks for."""

import random
from collections import Counter

import pytest

from guard import results
from guard.milter import WATCHED
from guard.rule import ORIGINATORS, compared_name, spoken_addresses
from mailhost.errors import Refused

ANNA, CEO = (b"From", b"Anna <anna@acme.example>"), (b"From", b"ceo@bolt.example")


def test_one_from_speaks_for_its_address_among_any_other_headers():
    headers = [(b"To", b"ceo@bolt.example, x@y.example"), (b"Reply-To", b"ceo@bolt.example"), ANNA, (b"From-X", b"x")]

    assert spoken_addresses(headers) == ("anna@acme.example",)


def test_all_originators_count_and_from_comes_first():
    headers = [
        (b"SENDER", b"sales@acme.example"),
        (b"Resent-From", b"otto@acme.example"),
        (b"resent-from", b"rita@rita.example"),
        (b"Resent-Sender", b"anna@acme.example"),
        ANNA,
    ]

    assert spoken_addresses(headers) == (
        "anna@acme.example",
        "sales@acme.example",
        "otto@acme.example",
        "rita@rita.example",
    )


@pytest.mark.parametrize(
    ("headers", "code", "field"),
    [
        ([], "no_author", "From"),
        ([(b"Sender", b"anna@acme.example")], "no_author", "From"),
        ([(b"X-From", b"anna@acme.example")], "no_author", "From"),
        ([ANNA, CEO], "several_authors", "From"),
        ([CEO, ANNA], "several_authors", "From"),
        ([ANNA, ANNA], "several_authors", "From"),
        ([ANNA, (b"fROM", b"")], "several_authors", "From"),
        ([ANNA, (b"Sender", b"anna@acme.example"), (b"sender", b"anna@acme.example")], "several_authors", "Sender"),
        ([ANNA, (b"From ", b"ceo@bolt.example")], "unreadable_author", "From"),
        ([(b"From\t", b"anna@acme.example")], "unreadable_author", "From"),
        ([ANNA, (b"Sender", b"")], "no_author", "Sender"),
        ([ANNA, (b"Sender", b"a@acme.example, b@acme.example")], "several_authors", "Sender"),
        ([ANNA, (b"Resent-From", b"a@acme.example, b@acme.example")], "several_authors", "Resent-From"),
        ([ANNA, (b"Resent-Sender", b"<>")], "no_author", "Resent-Sender"),
    ],
)
def test_anything_but_one_author_is_refused(headers, code: str, field: str):
    with pytest.raises(Refused) as refused:
        spoken_addresses(headers)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_no_header_that_counts_is_overlooked_at_the_first_look():
    chance = random.Random(7)  # noqa: S311 - no secret: the same names every time
    counting = {*ORIGINATORS, results.HEADER}
    seen = Counter()
    for _ in range(5000):
        name = bytearray(chance.choice([*counting, b"subject", b"to", b"x-from", b"from-x", b"reply-to"]))
        for _ in range(chance.choice((0, 0, 1, 2))):
            place = chance.randrange(len(name) + 1)
            name[place:place] = chance.choice((b" ", b"\t", b"\n", b"\x0b", b"-", b"F", b"\xc5\xbf"))
        written = bytes(sign - 32 if 97 <= sign <= 122 and chance.random() < 0.3 else sign for sign in name)

        is_seen = bool(WATCHED.match(written + b"\0 anna@acme.example\0"))

        assert is_seen == (compared_name(written) in counting), written
        seen[is_seen] += 1
    assert min(seen.values()) > 500
