"""Secrets of people in the database: seeds of second factors, sealed under a key made of SECRET_KEY."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailhost.vault import from_secret_key

PURPOSE = b"mailhost second factors"


def _derive(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)


_vault = from_secret_key(_derive)
seal, unseal, reseal = _vault.seal, _vault.unseal, _vault.reseal
