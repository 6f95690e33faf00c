"""How mailbox passwords are hashed and judged (mailboxes/passwords.py)."""

import pytest
from passlib.hash import argon2, bcrypt, ldap_salted_sha512, sha512_crypt

from mailboxes.passwords import accept_hash, check_password, hash_password, needs_rehash, verify
from mailhost.errors import Refused

SECRET = "correct horse battery staple"
IMPORTED = {
    "argon2id": "{ARGON2ID}" + argon2.using(type="ID", memory_cost=8192, rounds=1, parallelism=2).hash(SECRET),
    "bcrypt": "{BLF-CRYPT}" + bcrypt.using(rounds=4).hash(SECRET),
    "bcrypt 2y": "{BLF-CRYPT}" + bcrypt.using(rounds=4, ident="2y").hash(SECRET),
    "sha512": "{SHA512-CRYPT}" + sha512_crypt.using(rounds=5000).hash(SECRET),
    "sha512 without a scheme": sha512_crypt.using(rounds=6000).hash(SECRET),
    "salted sha512": ldap_salted_sha512.hash(SECRET),
}


def test_a_new_hash_has_the_cost_dovecot_is_set_up_for():
    stored = hash_password(SECRET)

    assert stored.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(stored) <= 255
    assert verify(SECRET, stored)
    assert not verify(SECRET + "x", stored)
    assert not needs_rehash(stored)


@pytest.mark.parametrize("stored", IMPORTED.values(), ids=IMPORTED.keys())
def test_an_imported_hash_verifies_and_wants_to_be_replaced(stored):
    assert accept_hash(stored) == stored
    assert verify(SECRET, stored)
    assert not verify("incorrect horse", stored)
    assert needs_rehash(stored)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", SECRET, "{PLAIN}secret", "{CLEAR}x", "{MD5}x", "{CRYPT}$1$aa$bb", "$1$aa$bb", "$2b$04$short"),
        *("{SHA512-CRYPT}", "{SHA512-CRYPT}$6$salt$tooshort", "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$x$y"),
        *("{SSHA512}" + "A" * 91 + "\n", "{SSHA512}!!!!", "$6$mailhost$" + "a" * 85, "$6$a:b$" + "a" * 86),
        "{SHA512-CRYPT}" + IMPORTED["sha512 without a scheme"] + "\n",
        "$argon2id$" + IMPORTED["argon2id"],
    ],
)
def test_what_dovecot_could_not_check_is_refused(text):
    with pytest.raises(Refused) as refused:
        accept_hash(text)

    assert (refused.value.code, refused.value.field) == ("invalid_hash", "password_hash")
    assert not verify(SECRET, text)


@pytest.mark.parametrize(
    "text",
    [
        IMPORTED["argon2id"].replace("m=8192", "m=4194304"),
        IMPORTED["argon2id"].replace("t=1", "t=200"),
        IMPORTED["argon2id"].replace("p=2", "p=64"),
        IMPORTED["bcrypt"].replace("$04$", "$31$"),
        IMPORTED["sha512 without a scheme"].replace("rounds=6000", "rounds=999999999"),
    ],
    # The salts are random, and pytest-xdist's workers must name the same tests.
    ids=["argon2's memory", "argon2's passes", "argon2's lanes", "bcrypt's rounds", "SHA-512's rounds"],
)
def test_a_hash_that_costs_too_much_is_refused_and_never_computed(text):
    with pytest.raises(Refused, match="costs too much"):
        accept_hash(text)

    assert not verify(SECRET, text)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too short"),
        ("kurz-aber-ok"[:-1], "too short"),
        ("x" * 257, "at most 256"),
        ("ababababababab", "repeats"),
        ("password1234", "guessed first"),
        ("my-Anna.Berg-2026", "contains the name"),
        ("nul\0 is not sent", "control characters"),
        ("line\nbreak is bad", "control characters"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password, reason):
    with pytest.raises(Refused, match=reason) as refused:
        check_password(password, address="anna.berg@acme.example")

    assert (refused.value.code, refused.value.field) == ("weak_password", "password")


@pytest.mark.parametrize("password", [SECRET, "Grün-Kaffee-17", "пароль-дня-2026", "x9!k" * 64])
def test_a_long_mixed_password_is_taken(password):
    check_password(password, address="anna@acme.example")
