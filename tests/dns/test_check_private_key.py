"""A key is looked at before any table names it: OpenDKIM hangs on a key that does not parse."""

import traceback
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.core.exceptions import ImproperlyConfigured

from dns import dkim
from dns.dkim import UnusableKey, check_private_key


@pytest.fixture(scope="module")
def pair() -> dkim.KeyPair:
    return dkim.make_key()


def pem_of(private) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_key_of_ours_passes(pair):
    check_private_key(pair.private_pem, pair.public_key)


def test_a_selector_is_never_given_twice():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    selectors = {dkim.new_selector(now) for _ in range(1000)}

    assert len(selectors) == 1000
    assert all(dkim.SELECTOR.fullmatch(one) and one.startswith("mh202611") for one in selectors)


@pytest.mark.parametrize(
    "damage",
    [
        lambda pem: b"",
        lambda pem: b"not a key",
        lambda pem: pem[: len(pem) // 2],
        lambda pem: pem.replace(b"PRIVATE", b"PUBLIC"),
        lambda pem: pem[:200] + b"\n\n" + pem[260:],
    ],
)
def test_a_damaged_key_is_refused_and_its_text_is_not_told(pair, damage):
    damaged = damage(pair.private_pem)

    with pytest.raises(UnusableKey) as refusal:
        check_private_key(damaged, pair.public_key)

    told = "".join(traceback.format_exception(refusal.value))
    middle = pair.private_pem.decode().splitlines()[10]
    assert middle not in told


def test_a_short_rsa_key_is_refused(pair):
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505

    with pytest.raises(UnusableKey, match="1024 bits"):
        check_private_key(pem_of(short), dkim.public_text(short.public_key()))


def test_a_key_of_another_algorithm_is_refused(pair):
    with pytest.raises(UnusableKey, match="an Ed25519 key, and this server signs with RSA only"):
        check_private_key(pem_of(ed25519.Ed25519PrivateKey.generate()), pair.public_key)


def test_a_key_of_another_row_is_refused(pair):
    with pytest.raises(UnusableKey, match="does not belong"):
        check_private_key(dkim.make_key().private_pem, pair.public_key)


def test_the_private_part_is_not_in_the_text_of_a_key_pair(pair):
    assert "PRIVATE" not in repr(pair)


def test_the_first_key_encrypts_and_every_key_decrypts(settings, pair):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.MAILHOST_DKIM_KEYS = [old]
    token = dkim.encrypt(pair.private_pem)
    settings.MAILHOST_DKIM_KEYS = [new, old]

    fresh = dkim.reencrypt(token)
    settings.MAILHOST_DKIM_KEYS = [new]

    assert dkim.decrypt(fresh) == pair.private_pem
    with pytest.raises(UnusableKey):
        dkim.decrypt(token)


def test_without_an_encryption_key_nothing_is_stored(settings, pair):
    settings.MAILHOST_DKIM_KEYS = []

    with pytest.raises(ImproperlyConfigured):
        dkim.encrypt(pair.private_pem)
