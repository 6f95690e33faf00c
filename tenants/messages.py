"""How many messages tenants send: what limits by the hour and the day are held by, and what is billed.

A message counts once for each of its recipients: for the tenant whose mailbox sent it, and for everybody above. Hours
and days are those of the clock, in UTC. The guard counts in Redis (`guard.pace`) in one step with the limits, so that
two messages at once cannot both be the last one allowed; what each tenant itself sent is brought to MariaDB by the
clock, where it stays.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import structlog
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from mailhost.scope import every_tenant
from tenants.models import Allowance, SentMessages

log = structlog.get_logger(__name__)

PER_HOUR, PER_DAY = "messages_per_hour", "messages_per_day"
TIMEOUT_SECONDS = 0.5
HOUR_SECONDS, DAY_SECONDS = 3600, 24 * 3600
# So many days can pass until what was counted is stored.
KEPT_DAYS = 7
RUN = "run"
# KEYS: hour, day, own. ARGV: how many, a name for this run of the day, then for each tenant, whose the message is
# first: id, most an hour, most a day ("" is no limit).
COUNT = f"""
local messages = tonumber(ARGV[1])
for place = 3, #ARGV, 3 do
    for window = 1, 2 do
        local most = tonumber(ARGV[place + window])
        local used = most and tonumber(redis.call('HGET', KEYS[window], ARGV[place]) or 0)
        if most and used + messages > most then return {{(place - 3) / 3, window - 1, used}} end
    end
end
for place = 3, #ARGV, 3 do
    redis.call('HINCRBY', KEYS[1], ARGV[place], messages)
    redis.call('HINCRBY', KEYS[2], ARGV[place], messages)
end
redis.call('HSETNX', KEYS[3], '{RUN}', ARGV[2])
redis.call('HINCRBY', KEYS[3], ARGV[3], messages)
redis.call('EXPIRE', KEYS[1], {2 * HOUR_SECONDS})
redis.call('EXPIRE', KEYS[2], {2 * DAY_SECONDS})
redis.call('EXPIRE', KEYS[3], {KEPT_DAYS * DAY_SECONDS})
return {{}}
"""
# KEYS: as COUNT had them. ARGV: how many, then the ids, whose the message was first. A Redis that has lost its memory
# has nothing to take back.
TAKE_BACK = """
local messages = tonumber(ARGV[1])
local function take(key, id)
    local used = tonumber(redis.call('HGET', key, id) or 0)
    if used >= messages then redis.call('HINCRBY', key, id, -messages) end
end
for place = 2, #ARGV do
    take(KEYS[1], ARGV[place])
    take(KEYS[2], ARGV[place])
end
take(KEYS[3], ARGV[2])
return {}
"""
# By this name Redis knows it once it has run.
COUNT_SHA = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Sender:
    """One tenant that a message counts for, and its own limits; None is no limit."""

    tenant_id: int
    per_hour: int | None = None
    per_day: int | None = None


@dataclass(frozen=True)
class Reached:
    """A limit that messages would exceed: which, how high it is, what was sent, how many more there would be, and when
    it begins anew. `is_own` says that the limit is that of the mailbox's tenant, not of somebody above."""

    name: str
    most: int
    used: int
    wanted: int
    again_at: datetime
    is_own: bool

    def __str__(self) -> str:
        """Say it to whoever sends. Of somebody above only is said that there is a limit."""
        window = "an hour" if self.name == PER_HOUR else "a day"
        again = f"Try again after {self.again_at:%H:%M} UTC."
        if not self.is_own:
            return f"The account that provides yours has reached its limit of messages {window}. {again}"
        if self.wanted > self.most:
            return (
                f"This message has {self.wanted} recipients, and the limit is {self.most} messages {window}. "
                "Send it to fewer at once."
            )
        return (
            f"The limit is {self.most} messages {window}, once for each recipient: {self.used} were sent, and this is "
            f"{self.wanted} more. {again}"
        )


def keys(now: datetime) -> list[str]:
    """Return the names of what is counted at this time: the hour, the day, and what each tenant itself sent."""
    now = now.astimezone(UTC)
    return [_key("hour", f"{now:%Y-%m-%dT%H}"), _key("day", f"{now:%Y-%m-%d}"), _own_key(now.date())]


def arguments(messages: int, senders: Sequence[Sender], run: str) -> list[str | int]:
    """Return what COUNT is given; `run` is a random name, kept when this is the first count of the day."""
    found: list[str | int] = [messages, run]
    for sender in senders:
        found.append(sender.tenant_id)
        found += ["" if most is None else most for most in (sender.per_hour, sender.per_day)]
    return found


def ids(senders: Sequence[Sender]) -> list[int]:
    """Return the ids that TAKE_BACK is given."""
    return [sender.tenant_id for sender in senders]


def reached(answer: Sequence[int], wanted: int, senders: Sequence[Sender], now: datetime) -> Reached | None:
    """Return which limit COUNT has found exceeded by so many messages, or None when they are counted."""
    if not answer:
        return None
    place, window, used = answer
    now = now.astimezone(UTC)
    if window == 0:
        most, name = senders[place].per_hour, PER_HOUR
        again_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    else:
        most, name = senders[place].per_day, PER_DAY
        again_at = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Reached(name, most or 0, used, wanted, again_at, is_own=place == 0)


def used_now(tenant_id: int, now: datetime) -> dict[str, int]:
    """Return what a tenant has sent with everybody below it in this hour and on this day, by the names of limits;
    nothing while Redis is away."""
    hour, day, _ = keys(now)
    try:
        used = [redis().hget(period, str(tenant_id)) for period in (hour, day)]
    except RedisError as error:
        log.warning("message_counts_away", error=type(error).__name__)
        return {}
    return {name: int(number or 0) for name, number in zip((PER_HOUR, PER_DAY), used, strict=True)}


def store(now: datetime) -> int:
    """Bring what was counted on these days to MariaDB; return how many rows were written. Safe to run twice.

    What stands in Redis is the whole of the day, so a row is replaced and never added to. A Redis that has lost its
    memory begins a new run of the day, with rows of its own. Raises RedisError.
    """
    today = now.astimezone(UTC).date()
    return sum(_store_day(today - timedelta(days=before)) for before in range(KEPT_DAYS))


@cache
def redis() -> Redis:
    never = Retry(NoBackoff(), 0)
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return Redis.from_url(settings.REDIS_URL, retry=never, decode_responses=True, **timeouts)


def _store_day(day: date) -> int:
    counted = redis().hgetall(_own_key(day))
    run = counted.pop(RUN, "")
    if not counted:
        return 0
    wanted = {int(pk): int(messages) for pk, messages in counted.items()}
    with every_tenant("what was sent is counted for all"):
        # Who was purged meanwhile has no page any more; who was moved has another path.
        paths = dict(Allowance.objects.filter(pk__in=wanted).values_list("pk", "path"))
        stored = SentMessages.objects.filter(day=day, run=run).values_list("tenant_id", "path", "messages")
        present = {pk: (path, number) for pk, path, number in stored}
        rows = [
            SentMessages(tenant_id=pk, path=path, day=day, run=run, messages=wanted[pk])
            for pk, path in sorted(paths.items())
            if present.get(pk) != (path, wanted[pk])
        ]
        SentMessages.objects.bulk_create(
            rows, batch_size=1000, update_conflicts=True, update_fields=["messages", "path"]
        )
    return len(rows)


def _own_key(day: date) -> str:
    return _key("own", f"{day:%Y-%m-%d}")


def _key(kind: str, period: str) -> str:
    front = settings.CACHES["default"].get("KEY_PREFIX", "")
    return f"{front}:messages:{kind}:{period}"
