"""Under which addresses a signed-in person's message speaks."""

from collections.abc import Sequence

from guard.originator import one_address
from mailhost.errors import Refused

# What names an author or a sender (RFC 5322, 3.6.2 and 3.6.6), as its name compares.
ORIGINATORS = {b"from": "From", b"sender": "Sender", b"resent-from": "Resent-From", b"resent-sender": "Resent-Sender"}


def compared_name(name: bytes) -> bytes:
    """Return a header's name as it compares. Blanks before the colon belong to no name (RFC 5322, 4.5.8)."""
    return name.strip(b" \t").lower()


def spoken_addresses(headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """Return the addresses that these headers (name, value) speak for, From's first, each once.

    Exactly one From, at most one Sender, one address in each. Raises Refused for anything else.
    """
    originators = []
    for name, value in headers:
        if header := ORIGINATORS.get(compared_name(name)):
            # The signer overlooks such a header; others read it.
            if len(name) != len(header):
                raise Refused("unreadable_author", header, f"The header {header} has blanks before its colon.")
            originators.append((header, value))
    count = {header: sum(name == header for name, _ in originators) for header in ("From", "Sender")}
    if not count["From"]:
        raise Refused("no_author", "From", "The message has no From header. Add one with your own address.")
    for header, times in count.items():
        if times > 1:
            raise Refused("several_authors", header, f"The message has {times} {header} headers; one is allowed.")
    ordered = sorted(originators, key=lambda originator: originator[0] != "From")
    return tuple(dict.fromkeys(one_address(value, header=header) for header, value in ordered))
