"""Mailbox passwords: how new ones are hashed, which imported hashes are taken, which passwords are too weak.

The one home of passlib. Every stored hash is one that Dovecot verifies: {SCHEME} in front, or a plain "$6$…",
which its default_pass_scheme SHA512-CRYPT reads.
"""

import re
import secrets
import string
import unicodedata
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from passlib.hash import argon2, bcrypt, ldap_salted_sha512, sha512_crypt

from mailboxes import app_passwords
from mailhost.errors import Refused
from mailhost.hashers import few_at_once
from mailhost.said import gettext

MIN_LENGTH = 12
MAX_LENGTH = 256
MAX_HASH = 255
# What we choose: letters that no typeface makes alike.
LEGIBLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
RANDOM_LENGTH = 20

# OWASP's first choice; Dovecot's auth-worker has memory for it (vsz_limit).
MEMORY_KIB, PASSES, LANES = 19456, 2, 1
_argon2id = argon2.using(type="ID", memory_cost=MEMORY_KIB, rounds=PASSES, parallelism=LANES)

# An imported hash says itself what its check costs, and everybody who may try a password makes us pay.
MAX_MEMORY_KIB, MAX_PASSES, MAX_LANES = 65536, 4, 4
MAX_BCRYPT_COST = 12
MAX_SHA_ROUNDS = 1_000_000

ARGON2ID = re.compile(r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})(?:\$[A-Za-z0-9+/]{16,88}){2}")
BLF_CRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
SHA512_CRYPT = re.compile(r"\$6\$(?:rounds=(\d{4,9})\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}")
SSHA512 = re.compile(r"[A-Za-z0-9+/]{91,128}={0,2}")
# scheme: (pattern, the verifier, what the verifier wants in front)
SCHEMES = {
    "ARGON2ID": (ARGON2ID, argon2, ""),
    "BLF-CRYPT": (BLF_CRYPT, bcrypt, ""),
    "SHA512-CRYPT": (SHA512_CRYPT, sha512_crypt, ""),
    "SSHA512": (SSHA512, ldap_salted_sha512, "{SSHA512}"),
}
DEFAULT_SCHEME = "SHA512-CRYPT"
CRYPT_DIGITS = f"./{string.digits}{string.ascii_letters}"


def hash_password(password: str) -> str:
    """Return the `{ARGON2ID}` hash of a password."""
    with few_at_once:
        return "{ARGON2ID}" + _argon2id.hash(password)


def random_password() -> str:
    """Return a password for a person to copy: about 115 bits, without letters that look alike."""
    return "".join(secrets.choice(LEGIBLE) for _ in range(RANDOM_LENGTH))


def nobodys_hash() -> str:
    """Return a hash whose password nobody knows: of random digits, not of a password."""
    salt, digits = ("".join(secrets.choice(CRYPT_DIGITS) for _ in range(count)) for count in (16, 86))
    return f"{{SHA512-CRYPT}}$6${salt}${digits}"


def verify(password: str, stored: str) -> bool:
    """Whether this is the password of a stored hash. A hash that could not have been stored verifies nothing."""
    try:
        scheme, value = _split(accept_hash(stored))
    except Refused:
        return False
    if len(password) > MAX_LENGTH or "\0" in password:
        return False
    _, verifier, front = SCHEMES[scheme]
    with few_at_once:
        return verifier.verify(password, front + value)


def needs_rehash(stored: str) -> bool:
    """Whether the next sign-in should replace this hash: another scheme, or another cost, than new ones have."""
    scheme, value = _split(stored)
    return scheme != "ARGON2ID" or not value.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$")


def accept_hash(text: str, *, field: str = "password_hash") -> str:
    """Return an imported hash as it is stored. Raises Refused for a scheme Dovecot or we cannot check, for a broken
    value, and for a cost that would make each sign-in a load on the machine."""
    scheme, value = _split(text)
    if scheme not in SCHEMES:
        known = ", ".join(f"{{{name}}}" for name in SCHEMES)
        raise Refused(
            "invalid_hash",
            field,
            gettext("This hash has none of the schemes %(known)s. Set a password instead.") % {"known": known},
        )
    pattern, verifier, front = SCHEMES[scheme]
    found = pattern.fullmatch(value)
    if found is None or len(text) > MAX_HASH or not _is_readable(verifier, front + value):
        raise Refused("invalid_hash", field, gettext("This is no complete {%(scheme)s} hash.") % {"scheme": scheme})
    if _is_costly(scheme, found):
        raise Refused(
            "invalid_hash",
            field,
            gettext("Checking this {%(scheme)s} hash costs too much. Set a password instead.") % {"scheme": scheme},
        )
    return text


def check_password(password: str, *, address: str, field: str = "password") -> None:
    """Raise Refused("weak_password", field, reason) for a password that guessing finds, or that no client can send."""
    if any(unicodedata.category(sign) == "Cc" for sign in password):
        raise Refused(
            "weak_password", field, gettext("A password has no control characters, tabs or line breaks in it.")
        )
    if app_passwords.has_form(password):
        # Dovecot would look for an app password, and never for this one.
        raise Refused("weak_password", field, gettext("This has the form of an app password. Choose another one."))
    if len(password) < MIN_LENGTH:
        raise Refused(
            "weak_password",
            field,
            gettext("This password is too short: use at least %(min_length)s characters.") % {"min_length": MIN_LENGTH},
        )
    if len(password) > MAX_LENGTH:
        raise Refused(
            "weak_password",
            field,
            gettext("A password has at most %(max_length)s characters.") % {"max_length": MAX_LENGTH},
        )
    local = address.partition("@")[0]
    if len(local) > 2 and local.lower() in password.lower():
        raise Refused(
            "weak_password",
            field,
            gettext("This password contains the name “%(local)s”. Choose one that does not.") % {"local": local},
        )
    if len(set(password)) < 4:
        raise Refused(
            "weak_password", field, gettext("This password repeats the same few characters. Mix more of them.")
        )
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError as error:
        raise Refused(
            "weak_password", field, gettext("This password is one of those that are guessed first.")
        ) from error


def _split(text: str) -> tuple[str, str]:
    if text.startswith("{"):
        scheme, _, value = text[1:].partition("}")
        return scheme.upper(), value
    return (DEFAULT_SCHEME if text.startswith("$6$") else ""), text


def _is_readable(verifier: Any, value: str) -> bool:
    try:
        verifier.from_string(value)
    except (ValueError, TypeError):
        return False
    return True


def _is_costly(scheme: str, found: re.Match[str]) -> bool:
    if scheme == "ARGON2ID":
        memory, passes, lanes = (int(number) for number in found.groups())
        return not (memory <= MAX_MEMORY_KIB and 1 <= passes <= MAX_PASSES and 1 <= lanes <= MAX_LANES)
    if scheme == "BLF-CRYPT":
        return int(found[1]) > MAX_BCRYPT_COST
    if scheme == "SHA512-CRYPT":
        return int(found[1] or 0) > MAX_SHA_ROUNDS
    return False
