"""The cache: JSON in Redis, and this process's own memory while Redis is away."""

import json
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class JsonSerializer:
    """Django's own one unpickles, so whoever could write to Redis could run code in the panel."""

    def dumps(self, value: Any) -> str:
        # A number is text of digits in JSON as in Redis, which counts with it.
        return json.dumps(value, separators=(",", ":"))

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _steady(name: str) -> Callable:
    asked = getattr(RedisCache, name)

    def run(self: "SteadyRedisCache", *args: Any, **options: Any) -> Any:
        try:
            return asked(self, *args, **options)
        except RedisError as error:
            log.warning("cache_away", error=type(error).__name__)
            return getattr(self.stand_in, name)(*args, **options)

    return run


class SteadyRedisCache(RedisCache):
    """People sign in while Redis is away, and attempts are counted all the same: by each process for itself."""

    def __init__(self, server, params) -> None:
        super().__init__(server, params)
        self.stand_in = LocMemCache("while-redis-is-away", {})

    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    get_many = _steady("get_many")
    has_key = _steady("has_key")
    incr = _steady("incr")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
