"""The form of an API key (accounts/keys.py)."""

import re

from accounts.keys import digest, matches, mint, read


def test_a_minted_key_is_read_back_and_matches_only_its_digest():
    key, other = mint(), mint()

    prefix, secret = read(key.text)

    assert re.fullmatch(r"mh_live_[0-9a-z]{8}_[0-9a-z]{38}", key.text)
    assert prefix == key.prefix
    assert matches(secret, key.digest)
    assert not matches(secret, other.digest)
    assert secret not in key.digest
    assert key.text not in repr(key)


def test_a_typing_error_is_seen_before_the_database_is_asked():
    text = mint().text
    swapped = text[:-1] + ("0" if text[-1] != "0" else "1")

    assert read(swapped) is None
    assert read(text.upper()) is None
    assert read(text + "\n") is None
    assert read("") is None


def test_keys_outlive_a_change_of_the_secret_key(settings):
    key = mint()
    _, secret = read(key.text)

    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"

    assert not matches(secret, key.digest)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert matches(secret, key.digest)
    assert digest(secret) != key.digest
