"""Redis holds the panel's counts and calls: strangers on the machine neither read nor plant anything there."""

import pickle
import subprocess
from pathlib import Path

import pytest
from django.core.cache import cache
from redis import Redis
from redis.exceptions import AuthenticationError


def test_redis_answers_nobody_without_the_password(stack):
    url = stack.info["redis"]["url"]
    with Redis.from_url(url) as known:
        assert known.ping()
        port = known.get_connection_kwargs()["port"]

    with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()


def test_the_password_is_in_no_list_of_processes_and_in_no_file_of_others(stack):
    with Redis.from_url(stack.info["redis"]["url"]) as known:
        password = known.get_connection_kwargs()["password"]
    file = stack.home / "redis/redis.conf"

    listed = subprocess.run(["ps", "axww", "-o", "args="], check=True, capture_output=True, text=True).stdout

    assert password not in listed
    assert f"requirepass {password}" in file.read_text()
    assert (file.owner(), file.stat().st_mode & 0o777) == ("redis", 0o600)
    assert password in (stack.home / "dovecot/etc/private.conf").read_text()


def test_what_the_cache_holds_comes_back_and_counts():
    try:
        cache.set("test:words", {"a": [1, None, True, "é"]})
        cache.add("test:count", 0)
        cache.incr("test:count")

        assert cache.get("test:words") == {"a": [1, None, True, "é"]}
        assert cache.get_many(["test:count", "test:none"]) == {"test:count": 1}
    finally:
        cache.delete_many(["test:words", "test:count"])


def test_a_planted_pickle_runs_nothing(stack, tmp_path: Path):
    class Planted:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    with Redis.from_url(stack.info["redis"]["url"]) as redis:
        redis.set(cache.make_key("test:planted"), pickle.dumps(Planted()))
        try:
            with pytest.raises(ValueError, match=r"decode|Expecting"):
                cache.get("test:planted")
        finally:
            redis.delete(cache.make_key("test:planted"))

    assert not (tmp_path / "ran").exists()
