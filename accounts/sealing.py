"""Secrets of people in the database: seeds of second factors, sealed under a key made of SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"mailhost second factors"


def seal(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed under this SECRET_KEY or a former one. Raises cryptography.fernet.InvalidToken."""
    return _fernet().decrypt(sealed.encode()).decode()


def reseal(sealed: str) -> str:
    """Return the same secret sealed under the present SECRET_KEY, so that the former one can be forgotten."""
    return _fernet().rotate(sealed.encode()).decode()


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
