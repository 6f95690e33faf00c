"""Reading what records say: versions, tags, keys, addresses."""

import ipaddress
from base64 import b64decode
from binascii import Error as NotBase64

SHOWN_LENGTH = 80


def is_version(value: str, version: str) -> bool:
    """Say whether the record is of this kind: the version stands first and alone."""
    return not value[:1].isspace() and value.lower().replace(";", " ; ").split()[:1] == [version]


def tags(value: str) -> dict[str, str]:
    """Return `name=value` pairs of a tag list with all blanks taken out; the first of a name counts."""
    pairs: dict[str, str] = {}
    for part in value.split(";"):
        name, equals, rest = part.partition("=")
        if equals:
            pairs.setdefault(name.strip().lower(), "".join(rest.split()))
    return pairs


def before_all(record: str) -> list[str]:
    """Return the terms of an SPF record that are reached: what follows `all` never matches (RFC 7208, 5.1)."""
    words = record.split()
    return words[: next((at for at, word in enumerate(words) if word.lower().lstrip("+-~?") == "all"), len(words))]


def key_bytes(base64_text: str) -> bytes | None:
    try:
        return b64decode(base64_text, validate=True)
    except (NotBase64, ValueError):
        return None


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def short(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
