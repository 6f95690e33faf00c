"""How many requests a minute: what the plan allows a tenant, shared by its keys, and what one key may take.

Counted in Redis, in windows of a minute that begin with the first request. While Redis is away requests pass, and
the log says so. The headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

import math
import time
from dataclasses import dataclass
from functools import cache

import structlog
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.exceptions import Throttled

from mailhost.actor import Actor

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
# What an account above may take with all below it: how much of it the others use is told nobody.
PROVIDER = "provider"
# Redis is away: how long nobody waits for it again.
PAUSE_SECONDS = 5
TIMEOUT_SECONDS = 0.25
NEVER = Retry(NoBackoff(), 0)
# What one policy refuses is not counted under the next: a key that asks too much takes nothing from its tenant.
COUNT = """
local answer, refused = {}, false
for number, name in ipairs(KEYS) do
    local used = refused and tonumber(redis.call('GET', name) or 0) or redis.call('INCR', name)
    if redis.call('PTTL', name) < 0 then redis.call('PEXPIRE', name, ARGV[1]) end
    refused = refused or used > tonumber(ARGV[number + 1])
    answer[#answer + 1] = used
    answer[#answer + 1] = redis.call('PTTL', name)
end
return answer
"""


@dataclass(frozen=True)
class Quota:
    """One policy and where the caller stands in it. `reset` are seconds until the window ends."""

    name: str
    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


def count(actor: Actor) -> list[Quota]:
    """Count this request for its key and for its tenant; return where they stand, nothing while Redis is away."""
    global _paused_until  # noqa: PLW0603 - one pause for the whole process
    policies = [policy for policy in _policies(actor) if policy[1]]
    if not policies or time.monotonic() < _paused_until:
        return []
    try:
        return _counted(policies)
    except RedisError as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning("rate_limits_off", error=type(error).__name__, seconds=PAUSE_SECONDS)
        return []


def refuse_too_many(quotas: list[Quota]) -> None:
    """Raise Throttled when one of the quotas is used up."""
    exceeded = [quota for quota in quotas if quota.used > quota.limit]
    if exceeded:
        whose = " and ".join(sorted({quota.name for quota in exceeded}))
        raise Throttled(max(quota.reset for quota in exceeded), f"This {whose} may ask no more before the minute ends.")


def headers(quotas: list[Quota]) -> dict[str, str]:
    """Return what an answer says of the quotas."""
    quotas = [quota for quota in quotas if quota.name != PROVIDER]
    if not quotas:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{quota.name}";q={quota.limit};w={WINDOW_SECONDS}' for quota in quotas),
        "RateLimit": ", ".join(f'"{quota.name}";r={quota.remaining};t={quota.reset}' for quota in quotas),
    }


_paused_until = 0.0


def _policies(actor: Actor) -> list[tuple[str, int, str]]:
    """Return (name, requests a minute, what is counted) for each; 0 requests are no limit.

    Where the tenant's plan names a limit, its keys may each take all of it; else the installation's limits hold. The
    limit of a provider above counts for all below it together.
    """
    rates = dict(actor.api_rates)
    own = rates.pop(actor.tenant_id, None)
    of_key, of_tenant = (
        (own, own)
        if own is not None
        else (settings.MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY, settings.MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT)
    )
    return [
        ("key", of_key, f"key:{actor.key_id}"),
        ("tenant", of_tenant, f"tenant:{actor.tenant_id}"),
        *((PROVIDER, limit, f"tenant:{holder}") for holder, limit in sorted(rates.items(), reverse=True)),
    ]


def _counted(policies: list[tuple[str, int, str]]) -> list[Quota]:
    front = settings.CACHES["default"].get("KEY_PREFIX", "")
    names = [f"{front}:api-requests:{counted}" for _, _, counted in policies]
    counts = _redis().eval(COUNT, len(names), *names, WINDOW_SECONDS * 1000, *(limit for _, limit, _ in policies))
    return [
        Quota(name, limit, used, max(1, math.ceil(left / 1000)))
        for (name, limit, _), used, left in zip(policies, counts[::2], counts[1::2], strict=True)
    ]


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=NEVER
    )
