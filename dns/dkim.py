"""Signing keys: making them, keeping the private part encrypted, checking them, and what DNS shows (RFC 6376)."""

import hashlib
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from mailhost.vault import Unreadable, from_setting

RSA_BITS = 2048
# Verifiers need not take longer ones (RFC 8301, 3.2), and signing slows with the cube of the length.
MOST_BITS = 4096
ALGORITHM = "rsa-2048"

# One DNS label; a dot would make it a name of several, and anything else could end a line or field of a table.
SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
SELECTOR_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class UnusableKey(ValueError):
    """A key that no table may name. The message says why and never holds key text."""


@dataclass(frozen=True)
class KeyPair:
    """A new key: the private part as PEM (PKCS #8), the public one as in DNS (base64 of its DER)."""

    private_pem: bytes = field(repr=False)
    public_key: str


def make_key() -> KeyPair:
    """Return a new RSA key of 2048 bits. Takes a tenth of a second of processor time."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(pem, public_text(private.public_key()))


def read_key(private_pem: str) -> KeyPair:
    """Return the pair of a private key that was made elsewhere (PEM: PKCS #8 or PKCS #1, without a password).

    Raises UnusableKey, among others for an Ed25519 key: one OpenDKIM signs with one algorithm.
    """
    private = parse(private_pem.encode("utf-8", "replace"))
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(pem, public_text(private.public_key()))


def parse(private_pem: bytes) -> rsa.RSAPrivateKey:
    """Return the RSA key of at least 2048 bits that the PEM holds. Raises UnusableKey."""
    try:
        private = serialization.load_pem_private_key(private_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: what a parser says of a key belongs into no log.
        raise UnusableKey("the private part does not parse as a key") from None
    if isinstance(private, ed25519.Ed25519PrivateKey):
        raise UnusableKey("the key is an Ed25519 key, and this server signs with RSA only")
    if not isinstance(private, rsa.RSAPrivateKey):
        raise UnusableKey("the key is not an RSA key")
    if private.key_size < RSA_BITS:
        raise UnusableKey(f"the key has {private.key_size} bits, fewer than {RSA_BITS}")
    if private.key_size > MOST_BITS:
        raise UnusableKey(f"the key has {private.key_size} bits, more than {MOST_BITS}")
    return private


def public_text(public: rsa.RSAPublicKey) -> str:
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode("ascii")


def key_bits(public_key: str) -> int | None:
    """Return the length of an RSA key as it stands in DNS (base64 of its DER), None where it cannot be read."""
    try:
        key = serialization.load_der_public_key(b64decode(public_key, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else None


def public_record(public_key: str) -> str:
    """Return the TXT value of a key as one string; cutting it at 255 bytes is the zone's matter."""
    return f"v=DKIM1; k=rsa; p={public_key}"


def new_selector(now: datetime) -> str:
    """Return a selector that was never used: the month, for people who clean up, and 50 random bits."""
    return f"mh{now:%Y%m}" + "".join(secrets.choice(SELECTOR_LETTERS) for _ in range(10))


def fingerprint(private_pem: bytes) -> str:
    """Return the SHA-256 of the key file's content, so that a file is known to be right without decrypting."""
    return hashlib.sha256(private_pem).hexdigest()


def check_private_key(private_pem: bytes, public_key: str) -> None:
    """Raise UnusableKey unless the PEM holds an RSA key of at least 2048 bits whose public part is `public_key`.

    OpenDKIM hangs on the messages of a domain whose key does not parse until Postfix gives up (300 s).
    """
    if public_text(parse(private_pem).public_key()) != public_key:
        raise UnusableKey("the private part does not belong to the public part")


# The first of MAILHOST_DKIM_KEYS encrypts private parts, all of them decrypt.
_vault = from_setting("MAILHOST_DKIM_KEYS")


def encrypt(private_pem: bytes) -> str:
    return _vault.seal(private_pem.decode("ascii"))


def decrypt(token: str) -> bytes:
    """Return the PEM of an encrypted private part. Raises UnusableKey when no key of ours opens it."""
    try:
        return _vault.unseal(token).encode("ascii")
    except Unreadable as error:
        raise UnusableKey(str(error)) from None


def reencrypt(token: str) -> str:
    """Return the same private part encrypted under the first key. Raises UnusableKey as `decrypt` does."""
    try:
        return _vault.reseal(token)
    except Unreadable as error:
        raise UnusableKey(str(error)) from None
