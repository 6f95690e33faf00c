"""Standard Webhooks 1.0: what is signed, and how; and how the secrets lie in the database."""

import base64
import hashlib
import hmac
import secrets

from mailhost.vault import from_secret_key

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


# Keys of their own, made of SECRET_KEY.
_vault = from_secret_key(lambda secret: hmac.digest(secret, b"mailhost webhooks", hashlib.sha256))
encrypt, decrypt = _vault.seal, _vault.unseal
