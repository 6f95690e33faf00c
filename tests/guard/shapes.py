"""Shapes of header From, by hand and at random, for the guard's tests."""

import random

OWN = ("anna@acme.example", "sales@acme.example", "anna@xn--bcher-kva.example")
FOREIGN = ("ceo@bolt.example", "rita@rita.example", "bolt@sub.bolt.example")
NAMES = (
    "Anna",
    "Anna Acme",
    '"Acme, Anna"',
    '"Anna \\"A\\" Acme"',
    "A. Acme",
    "=?utf-8?q?Anna_=C3=84cme?=",
    "Änne",
    "",
)
# What is put somewhere into an honest header to make somebody see another author.
TRICKS = (
    *("<", ">", "(", ")", "[", "]", ":", ";", "@", "\\", ",", '"', ".", "..", " ", "\t", "\n ", "\n\t", "\r", "\r\n "),
    *("\n", "\x00", "\x0b", "\x7f", "\x85", "\u2028", "\xa0", "\u200b", "\u202e", "\uff20", "\uff0e", "\u3002", "\\\\"),
    *("()", "(x)", "((x))", "(\\)", "<>", '""', '"x"', "\\(", "%", "!", "=?", "?=", "=40", "=?utf-8?q?=3C?=", "\\,"),
    *("=?utf-8?b?PGNlb0Bib2x0LmV4YW1wbGU+?=", "=?utf-8?q?ceo=40bolt=2Eexample?=", "=?utf-7?q?ceo+AEA-bolt.example?="),
    *("group:", "group: ;", "@bolt.example:", "<@bolt.example:", "@bolt.example,@rita.example:", "[127.0.0.1]"),
    *("ceo@bolt.example", "<ceo@bolt.example>", "ceo@bolt.example,", ", ceo@bolt.example", "(ceo@bolt.example)"),
    *('"ceo@bolt.example"', '"<ceo@bolt.example>"', "ceo@bolt.example ", "\nFrom: ceo@bolt.example", "bolt.example"),
    *(
        "ceo%bolt.example",
        "bolt.example!ceo",
        "ceo@bolt.example\x00",
        "\n ceo@bolt.example",
        "\n \n ",
        "From:",
        "\ufeff",
    ),
)
# Two Froms in both orders, odd writing of the name, and what else speaks for an author.
HEADER_NAMES = (b"From", b"from", b"FROM", b"fRoM", b"From ", b"From\t")


def value(chance: random.Random) -> bytes:
    """Return a random From value: an honest one, or one with tricks put in, parts taken out, or bytes changed."""
    address = chance.choice(OWN if chance.random() < 0.7 else FOREIGN)
    if chance.random() < 0.2:
        address = "".join(sign.upper() if chance.random() < 0.5 else sign for sign in address)
    name = chance.choice(NAMES)
    text = chance.choice((f"{name} <{address}>", f"{name}<{address}>", address, f"<{address}>", f"{address} ({name})"))
    for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 3))):
        place = chance.randrange(len(text) + 1)
        act = chance.random()
        if act < 0.75:
            text = text[:place] + chance.choice(TRICKS) + text[place:]
        elif act < 0.9:
            text = text[:place] + text[place + chance.randrange(1, 4) :]
        else:
            other = chance.randrange(len(text) + 1)
            text = text[:place] + text[other:] + text[place:other]
    data = text.encode()
    if chance.random() < 0.05 and data:
        place = chance.randrange(len(data))
        data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    return data


def headers(chance: random.Random) -> list[tuple[bytes, bytes]]:
    """Return a random header block: mostly one From, sometimes none or two, sometimes Sender and Resent headers."""
    block = [(chance.choice(HEADER_NAMES) if chance.random() < 0.2 else b"From", value(chance))]
    if chance.random() < 0.1:
        block.append((chance.choice(HEADER_NAMES), value(chance)))
    if chance.random() < 0.03:
        block = []
    for name in (b"Sender", b"Resent-From", b"Resent-Sender", b"Reply-To"):
        if chance.random() < 0.05:
            block.append((name, value(chance)))
    # Without a Date opendkim-testmsg calls a message malformed.
    block += [
        (b"Subject", b"Hello"),
        (b"To", b"carla@elsewhere.example"),
        (b"Date", b"Mon, 02 Nov 2026 09:00:00 +0000"),
    ]
    chance.shuffle(block)
    return block
