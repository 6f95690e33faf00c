"""What is read out of one originator header, and what is refused."""

import time
from contextlib import suppress

import pytest

from guard.originator import MAX_BYTES, one_address
from mailhost.errors import Refused

ANNA = "anna@acme.example"

TAKEN = [
    ("anna@acme.example", ANNA),
    ("  anna@acme.example  ", ANNA),
    ("\tanna@acme.example", ANNA),
    ("<anna@acme.example>", ANNA),
    ("<anna@acme.example> ", ANNA),
    ("ANNA@ACME.EXAMPLE", ANNA),
    ("Anna <anna@acme.example>", ANNA),
    ("Anna<anna@acme.example>", ANNA),
    ("Anna of Acme <anna@acme.example>", ANNA),
    ("A. B. Acme-Müller <anna@acme.example>", ANNA),
    ("Änne <anna@acme.example>", ANNA),
    ("安娜 <anna@acme.example>", ANNA),
    ("Anna 🦊 <anna@acme.example>", ANNA),
    ("O'Hara & Sons <anna@acme.example>", ANNA),
    ('"Acme, Anna" <anna@acme.example>', ANNA),
    ('"Anna \\"the fox\\" Acme" <anna@acme.example>', ANNA),
    ('"back\\\\slash" <anna@acme.example>', ANNA),
    ('"A" of "B" <anna@acme.example>', ANNA),
    ('"" <anna@acme.example>', ANNA),
    ('"(no comment) <nor address>; [x]: y" <anna@acme.example>', ANNA),
    ("=?utf-8?q?Anna_=C3=84cme?= <anna@acme.example>", ANNA),
    ("=?UTF-8?B?QW5uYSDDhGNtZQ==?= <anna@acme.example>", ANNA),
    ("=?utf-8?b?QW5uYQ?= <anna@acme.example>", ANNA),
    ("=?iso-8859-1*de?Q?=C4nne?= =?iso-8859-1?Q?_Acme?= <anna@acme.example>", ANNA),
    ('"=?utf-8?q?Anna?=" <anna@acme.example>', ANNA),
    ("=?iso-2022-jp?b?GyRCMEJGYBsoQg==?= <anna@acme.example>", ANNA),
    ("anna@acme.example (Anna)", ANNA),
    ("anna@acme.example(Anna of Acme)", ANNA),
    ("anna@acme.example ()", ANNA),
    ("Anna\n <anna@acme.example>", ANNA),
    ("\n anna@acme.example", ANNA),
    ('"A very long\n name" \n\t<anna@acme.example>', ANNA),
    ('"anna@acme.example" <anna@acme.example>', ANNA),
    ("=?utf-8?q?Anna=40ACME=2Eexample?= <anna@acme.example>", ANNA),
    ('"Anna @ Acme" <anna@acme.example>', ANNA),
    ('"@anna" <anna@acme.example>', ANNA),
    ("anna+news@acme.example", "anna+news@acme.example"),
    ("o'hara@acme.example", "o'hara@acme.example"),
    ("a.b_c-d@acme.example", "a.b_c-d@acme.example"),
    ("anna@bücher.example", "anna@xn--bcher-kva.example"),
    ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
    ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
    ("anna@straße.example", "anna@xn--strae-oqa.example"),
    ("anna@mail.sub.acme.example", "anna@mail.sub.acme.example"),
]


@pytest.mark.parametrize(("value", "address"), TAKEN, ids=[value for value, _ in TAKEN])
def test_plain_author_is_read(value: str, address: str):
    assert one_address(value.encode()) == address


NO_AUTHOR = ["", " ", "\t", "Anna", "<>", '""', "()", "anna at acme.example", '"anna@acme.example"']
NO_AUTHOR += ["=?utf-8?q?anna=40acme.example?=", "=?utf-8?q?Anna?= =?utf-8?q?=3Canna=40acme.example=3E?="]
SEVERAL = [
    "anna@acme.example, ceo@bolt.example",
    "ceo@bolt.example, anna@acme.example",
    "anna@acme.example,",
    ", anna@acme.example",
    "anna@acme.example ceo@bolt.example",
    "anna@acme.example; ceo@bolt.example",
    "<anna@acme.example>, <ceo@bolt.example>",
    "<anna@acme.example> <ceo@bolt.example>",
    "anna@acme.example <ceo@bolt.example>",
    "ceo@bolt.example <anna@acme.example>",
    "Acme, Anna <anna@acme.example>",
    "Group: anna@acme.example;",
    "Group: anna@acme.example, ceo@bolt.example;",
    "<@bolt.example:anna@acme.example>",
    "<@bolt.example,@rita.example:anna@acme.example>",
    "@bolt.example:anna@acme.example",
    "Anna @ Acme <anna@acme.example>",
    "anna@acme.example (ceo@bolt.example)",
    "(ceo@bolt.example) anna@acme.example",
    "anna@acme.example\n ceo@bolt.example",
    "anna@acme.example\n , ceo@bolt.example",
    "anna@bolt.example@acme.example",
    "anna@@acme.example",
]
UNREADABLE = [
    "anna@acme.example.",
    "anna@.acme.example",
    "anna@acme..example",
    ".anna@acme.example",
    "anna.@acme.example",
    "an..na@acme.example",
    "anna @acme.example",
    "anna@ acme.example",
    "anna@acme .example",
    "an(x)na@acme.example",
    "anna(x)@acme.example",
    "anna@(x)acme.example",
    "anna@acme.example(x)(y)",
    "anna@acme.example (x (y))",
    "anna@acme.example (x\\))",
    "anna@acme.example (x",
    "anna@acme.example x)",
    "(x) anna@acme.example",
    "(x) <anna@acme.example>",
    "Anna (x) <anna@acme.example>",
    "Anna <anna@acme.example> (x)",
    "Anna <(x)anna@acme.example>",
    "Anna <anna@acme.example",
    "Anna anna@acme.example>",
    "Anna <<anna@acme.example>>",
    "Anna <anna@acme.example>>",
    "Anna < anna@acme.example>",
    "Anna <anna@acme.example >",
    "Anna <anna@acme.example> Acme",
    "Anna <anna@acme.example>x",
    "<Anna> <anna@acme.example>",
    "Anna [x] <anna@acme.example>",
    "Anna: <anna@acme.example>",
    "An\\na <anna@acme.example>",
    '"Anna <anna@acme.example>',
    'Anna" <anna@acme.example>',
    '"An\\na" <anna@acme.example>',
    '"Anna\\" <anna@acme.example>',
    '"anna"@acme.example',
    '<"anna"@acme.example>',
    '"anna acme"@acme.example',
    "anna@[127.0.0.1]",
    "anna@[IPv6:::1]",
    "anna@acme_shop.example",
    "änna@acme.example",
    "anna\u200b@acme.example",
    "an\u00a0na@acme.example",
    "=?utf-8?q?ceo?=@bolt.example",
    "x" * 65 + "@acme.example",
]


REFUSED = [
    *((value, "no_author") for value in NO_AUTHOR),
    *((value, "several_authors") for value in SEVERAL),
    *((value, "unreadable_author") for value in UNREADABLE),
]


@pytest.mark.parametrize(("value", "code"), REFUSED, ids=[value for value, _ in REFUSED])
def test_none_or_several_or_doubtful_authors_are_refused(value: str, code: str):
    with pytest.raises(Refused) as refused:
        one_address(value.encode())

    assert (refused.value.code, refused.value.field) == (code, "From")


BAD_DOMAINS = [
    *("acme", "-acme.example", "acme-.example", "127.0.0.1", "acme.123", "xn--ü.example", "a" * 64 + ".example"),
    *("ac\u200bme.example", "ａｃｍｅ.example", "acme。example", "acme．example", "a\u0308cme.example", "☕.example"),
    *("\u202eacme.example", "acme\u00ad.example", ".".join(["a" * 60] * 5) + ".example"),
]


@pytest.mark.parametrize("domain", BAD_DOMAINS)
def test_domain_that_is_none_is_refused(domain: str):
    with pytest.raises(Refused):
        one_address(f"anna@{domain}".encode())


# All but the tab, which may stand where a blank may.
CONTROLS = [chr(number) for number in (*range(9), *range(10, 32), *range(127, 160), 0x2028, 0x2029)]


@pytest.mark.parametrize("sign", CONTROLS)
@pytest.mark.parametrize("place", ["An{}na <anna@acme.example>", "<anna{}@acme.example>", "anna@acme.example{}", "{}"])
def test_control_character_is_refused_wherever_it_stands(place: str, sign: str):
    with pytest.raises(Refused):
        one_address(place.format(sign).encode())


@pytest.mark.parametrize("byte", [0x80, 0xA0, 0xC0, 0xC3, 0xE9, 0xFE, 0xFF])
@pytest.mark.parametrize("place", [b"An%cna <anna@acme.example>", b"anna@ac%cme.example", b"%c"])
def test_bytes_that_are_no_utf8_are_refused(place: bytes, byte: int):
    with pytest.raises(Refused, match="not UTF-8"):
        one_address(place % byte)


@pytest.mark.parametrize(
    "folded",
    [
        "Anna\n<anna@acme.example>",
        "Anna\r\n <anna@acme.example>",
        "Anna\r <anna@acme.example>",
        "Anna\n \n <anna@acme.example>",
        "anna@acme.example\n ",
        "anna@acme.example\n",
        "anna@acme.example\nSender: ceo@bolt.example",
        "anna@acme\n .example",
    ],
)
def test_doubtful_folding_is_refused(folded: str):
    with pytest.raises(Refused):
        one_address(folded.encode())


FALSE_NAMES = [
    '"ceo@bolt.example"',
    '"The Boss <ceo@bolt.example>"',
    '"CEO@BOLT.EXAMPLE via Acme"',
    '"ceo＠bolt.example"',
    "ceo＠bolt．example",
    '"ceo@bolt。example"',
    '"ce\u200bo@bo\u200dlt.example"',
    '"anna@acme.example ceo@bolt.example"',
    '"anna@acme.example.bolt.example"',
    "=?utf-8?q?ceo=40bolt=2Eexample?=",
    "=?utf-8?q?ceo=40?= =?utf-8?q?bolt.example?=",
    "=?utf-8?q?=22The_Boss=22_=3Cceo=40bolt.example=3E?=",
    "=?utf-8?b?PGNlb0Bib2x0LmV4YW1wbGU+?=",
    '"=?utf-8?b?PGNlb0Bib2x0LmV4YW1wbGU+?="',
    "=?utf-16?b?/v8AYwBlAG8AQABiAG8AbAB0AC4AZQB4AGEAbQBwAGwAZQ==?=",
    "=?utf-7?q?ceo+AEA-bolt.example?=",
    '"anna@b\u00fccher.example"',
]


@pytest.mark.parametrize("name", FALSE_NAMES)
def test_name_that_shows_another_address_is_refused(name: str):
    with pytest.raises(Refused) as refused:
        one_address(f"{name} <anna@acme.example>".encode())

    assert refused.value.code == "false_name"


def test_comment_that_shows_another_address_is_refused():
    with pytest.raises(Refused, match="shows another address"):
        one_address(b"anna@acme.example (=?utf-8?q?ceo=40bolt.example?=)")


@pytest.mark.parametrize(
    "word",
    [
        "=?no-such-charset?q?x?=",
        "=?rot13?q?prb?=",
        "=?hex?q?00?=",
        "=?utf-8?q?=FF?=",
        "=?utf-8?b?!?=",
        "=?utf-8?b?QQQQQ?=",
        "=?utf-8?x?x?=",
        "=?utf-8?q?x",
        "=?utf-8?q?a b?=",
        "=?utf-8?q?=0D=0AFrom:_ceo?=",
        "=?utf-8?q?=00?=",
        "=?utf-8?b?AA==?=",
        "=?=?utf-8?q?x?=",
        "=?utf-8?q?=E2=80=AE?=",
        '"\u202emoc.tlob@oec"',
    ],
)
def test_encoded_word_that_hides_or_cannot_be_read_is_refused(word: str):
    with pytest.raises(Refused):
        one_address(f"{word} <anna@acme.example>".encode())


def test_words_name_the_header_at_fault():
    with pytest.raises(Refused) as refused:
        one_address(b"a@acme.example, b@acme.example", header="Sender")

    assert (refused.value.field, refused.value.code) == ("Sender", "several_authors")
    assert refused.value.message == (
        "The header Sender names more than one address, a group, or a name with a comma or an @ outside quotes;"
        ' write one address, like "Anna, Acme" <anna@acme.example>.'
    )


PARTS = [
    *("a@", "a.", "a@b.", '"', '"a', "(", "<", "=?", "=?a?q?", "\\", " ", "\n ", "a ", "@", "@.", "\u0301", "\ufdfa"),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("end", ["", "<a@b.example>", "a@b.example"])
def test_no_value_takes_long(part: str, end: str):
    value = (part * MAX_BYTES).encode()[: MAX_BYTES - len(end)] + end.encode()
    started = time.process_time()

    with suppress(Refused):
        one_address(value)

    assert time.process_time() - started < 0.25
