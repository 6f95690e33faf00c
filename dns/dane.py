"""DANE for the mail host (RFC 7672): TLSA records made of its certificates' keys, as plain values."""

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.utils.translation import gettext_noop as _

from mailhost.said import NOTHING, Said

NOT_SIGNED = _(
    "A TLSA record (DANE) is not offered: the zone of %(name)s is not signed, and without DNSSEC other servers pass "
    "it over. Have the zone signed where its DNS is kept, with the DS record at the zone above; then it stands here."
)
NO_KEY = _("A TLSA record (DANE) is not offered yet: the certificate at port 25 could not be read.")
NOT_KNOWN = _("Whether a TLSA record (DANE) is of use is not known yet: DNS did not tell whether the zone is signed.")

# RFC 7672, 3.1.1: the host's own certificate, its key alone, by SHA-256. A renewal with the same key changes nothing.
KIND = "3 1 1"
SMTP_PORT = 25


def why_not(host: str, is_signed: bool | None, keys: Sequence[str] | None) -> Said:
    """Return why no TLSA record is offered for the host, or ""."""
    if is_signed is None:
        return Said(NOT_KNOWN)
    if not is_signed:
        return Said(NOT_SIGNED, name=host)
    return NOTHING if keys else Said(NO_KEY)


def name(host: str) -> str:
    return f"_{SMTP_PORT}._tcp.{host}"


def value(digest: str) -> str:
    return f"{KIND} {digest}"


def digest_of(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a public key, in hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def digest_in(pem: bytes) -> str:
    """Return the digest of the key in a certificate or public key, as PEM. Raises ValueError."""
    if b"-----BEGIN CERTIFICATE-----" in pem:
        return digest_of(x509.load_pem_x509_certificate(pem).public_key())
    return digest_of(load_pem_public_key(pem))
