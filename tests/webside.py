"""What tests of pages share."""

import hashlib
import io
import secrets
import time
from collections.abc import Iterator

import pytest
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY as WHOSE
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as METHODS
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import caches
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData
from PIL import Image

from accounts.middleware import SEEN_AT
from accounts.models import User


@pytest.fixture
def plain_static(settings) -> None:
    """Static files as they lie in the tree: no test depends on a collectstatic before it."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def fresh_cache() -> Iterator[None]:
    """Count from nothing. Not clear(): that empties the whole Redis, where other workers count and messages wait."""
    before = caches["default"].key_prefix
    caches["default"].key_prefix = secrets.token_hex(8)
    yield
    caches["default"].key_prefix = before


def signed_in(user: User, client: Client | None = None, seconds_ago: float = 0) -> Client:
    """Return a browser in which this person has signed in so long ago, without the cost of a password."""
    client = client or Client()
    client.force_login(user)
    session = client.session
    session[METHODS] = [{"method": "password", "at": time.time() - seconds_ago}]
    session[WHOSE] = user_id_to_str(user)
    session[SEEN_AT] = int(time.time())
    session.save()
    return client


def a_picture(width: int = 120, height: int = 40, kind: str = "PNG", **options) -> bytes:
    """Return a file with a picture in it."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), "#1f5fbf").save(written, kind, **options)
    return written.getvalue()


def a_passkey(user: User, number: int) -> Authenticator:
    """Write a passkey that allauth can read; no device has its private half."""
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    known = AttestedCredentialData.create(bytes(16), b"a laptop's key", public)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    seen = AuthenticatorData.create(hashlib.sha256(b"testserver").digest(), flags, 0, known)
    client = CollectedClientData.create("webauthn.create", b"challenge", "https://testserver")
    answer = {
        "clientDataJSON": websafe_encode(client),
        "attestationObject": websafe_encode(AttestationObject.create("none", seen, {})),
    }
    id_ = websafe_encode(known.credential_id)
    credential = {"id": id_, "rawId": id_, "type": "public-key", "response": answer}
    return Authenticator.objects.create(
        pk=number, user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": credential}
    )
