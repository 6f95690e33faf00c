"""When the clock was last seen to go: workers note it in Redis, the operator's page reads it.

Not through Django's cache: that stands in with a process's own memory while Redis is away, and would remember the past.
"""

import time

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

KEY = "mailhost:clock-seen"
SECONDS = 1.5


def note() -> None:
    """Note that something by the clock begins now. With Redis away nothing is noted, and the work goes on."""
    try:
        with _redis() as client:
            client.set(KEY, int(time.time()))
    except RedisError:
        return


def seconds_since() -> float | None:
    """Return how long ago the clock was seen, None when it never was. Raises RedisError."""
    with _redis() as client:
        seen = client.get(KEY)
    return None if seen is None else max(0, time.time() - int(seen))


def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
