"""Standard Webhooks 1.0: what is signed, and how; and how the secrets lie in the database."""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new signing secret as its owner reads it: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """Return one `v1,…` signature: HMAC-SHA256 over id, time in seconds since 1970, and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def encrypt(secret: str) -> str:
    return _vault().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """Return the secret of a stored one. Raises InvalidToken when none of the keys is the one it was stored by."""
    return _vault().decrypt(stored.encode()).decode()


def _vault() -> MultiFernet:
    """Keys of their own, derived from SECRET_KEY and, while it is being changed, from the former ones."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    derived = [hmac.digest(key.encode(), b"mailhost webhooks", hashlib.sha256) for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
