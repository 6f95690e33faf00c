"""Secrets that must be read again, encrypted at rest: credentials for other people's servers.

DKIM keys have keys of their own (`dns.dkim`), so that the signer can be given those and nothing else.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unreadable(ValueError):
    """None of MAILHOST_VAULT_KEYS opens a stored secret."""


def seal(secret: str) -> str:
    return _vault().encrypt(secret.encode()).decode("ascii")


def unseal(token: str) -> str:
    """Return a sealed secret. Raises Unreadable."""
    try:
        return _vault().decrypt(token).decode()
    except InvalidToken:
        raise Unreadable("none of MAILHOST_VAULT_KEYS decrypts a stored secret") from None


def reseal(token: str) -> str:
    """Return the same secret sealed under the first key. Raises Unreadable."""
    try:
        return _vault().rotate(token).decode("ascii")
    except InvalidToken:
        raise Unreadable("none of MAILHOST_VAULT_KEYS decrypts a stored secret") from None


def _vault() -> MultiFernet:
    if not settings.MAILHOST_VAULT_KEYS:
        raise ImproperlyConfigured("MAILHOST_VAULT_KEYS is empty: no secret can be stored or read.")
    try:
        return MultiFernet([Fernet(key) for key in settings.MAILHOST_VAULT_KEYS])
    except ValueError:
        raise ImproperlyConfigured("MAILHOST_VAULT_KEYS holds something that is no Fernet key.") from None
