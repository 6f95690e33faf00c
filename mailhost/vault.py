"""Secrets that must be read again, encrypted at rest.

Each kind has a vault of its own, so that a program can be given the keys of one and nothing else: the signer opens
DKIM keys (`dns.dkim`) and not the credentials for other people's servers, which are sealed by the functions here.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unreadable(ValueError):
    """None of a vault's keys opens a stored secret."""


@dataclass(frozen=True)
class Vault:
    """Seals under the first of the keys and opens what any of them sealed. `name` is the setting they stand in; they
    are read anew each time, since a setting may change."""

    name: str
    keys: Callable[[], list]

    def seal(self, secret: str) -> str:
        return self._fernet().encrypt(secret.encode()).decode("ascii")

    def unseal(self, token: str) -> str:
        """Return a sealed secret. Raises Unreadable."""
        try:
            return self._fernet().decrypt(token).decode()
        except InvalidToken:
            raise self._unreadable() from None

    def reseal(self, token: str) -> str:
        """Return the same secret sealed under the first key, so that the others can be forgotten. Raises Unreadable."""
        try:
            return self._fernet().rotate(token).decode("ascii")
        except InvalidToken:
            raise self._unreadable() from None

    def _fernet(self) -> MultiFernet:
        keys = self.keys()
        if not keys:
            raise ImproperlyConfigured(f"{self.name} is empty: no secret can be stored or read.")
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ImproperlyConfigured(f"{self.name} holds something that is no Fernet key.") from None

    def _unreadable(self) -> Unreadable:
        return Unreadable(f"none of {self.name} decrypts a stored secret")


def from_setting(name: str) -> Vault:
    """Return the vault whose Fernet keys stand in this setting."""
    return Vault(name, lambda: getattr(settings, name))


def from_secret_key(derive: Callable[[bytes], bytes]) -> Vault:
    """Return a vault of keys that `derive` makes, of 32 bytes, from SECRET_KEY and, while it is being changed, from the
    former ones."""

    def keys() -> list[bytes]:
        secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return [base64.urlsafe_b64encode(derive(secret.encode())) for secret in secrets]

    return Vault("SECRET_KEY", keys)


_credentials = from_setting("MAILHOST_VAULT_KEYS")
seal, unseal, reseal = _credentials.seal, _credentials.unseal, _credentials.reseal
