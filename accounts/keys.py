"""The form of an API key: `mh_live_<prefix>_<secret><checksum>`, e.g. mh_live_1a2b3c4d_…; `mh_test_` for tests.

The prefix is public and finds the row; of the secret only a keyed digest is stored. The checksum lets a scanner,
and us, tell a key from a typing error without asking the database.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from mailhost.fields import ALPHABET

LIVE, TEST = "mh_live", "mh_test"
PREFIX_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 8, 32, 6
FORM = re.compile(
    rf"({LIVE}|{TEST})_([{ALPHABET}]{{{PREFIX_LENGTH}}})_([{ALPHABET}]{{{SECRET_LENGTH}}})([{ALPHABET}]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True)
class MintedKey:
    """A new key: its public prefix, the digest to store, and the text to show once."""

    prefix: str
    digest: str
    text: str

    def __repr__(self) -> str:
        return f"MintedKey({self.prefix}…)"


def mint(*, is_test: bool = False) -> MintedKey:
    """Make a key of 160 random bits."""
    prefix, secret = _random(PREFIX_LENGTH), _random(SECRET_LENGTH)
    return MintedKey(prefix, digest(secret), f"{brand(is_test=is_test)}_{prefix}_{secret}{_checksum(prefix, secret)}")


def brand(*, is_test: bool) -> str:
    return TEST if is_test else LIVE


def read(text: str) -> tuple[str, str] | None:
    """Return (prefix, secret) of what a client sent, or None when it is no key of ours."""
    found = FORM.fullmatch(text)
    if found is None or not constant_time_compare(found[4], _checksum(found[2], found[3])):
        return None
    return found[2], found[3]


def digest(secret: str, key: str | None = None) -> str:
    """Return what is stored of a secret: an HMAC under a key derived from SECRET_KEY, or from a former one.

    The secret is random, so nothing is gained by a slow hash.
    """
    return salted_hmac("accounts.keys", secret, secret=key, algorithm="sha256").hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Whether this is the secret of a stored digest, in constant time; former SECRET_KEYs count too."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(digest(secret, key), stored) for key in keys)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(prefix: str, secret: str) -> str:
    number = zlib.crc32(hashlib.sha256(f"{prefix}_{secret}".encode()).digest())
    signs = []
    for _ in range(CHECKSUM_LENGTH):
        number, remainder = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[remainder])
    return "".join(signs)
