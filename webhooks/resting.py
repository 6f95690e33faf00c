"""Endpoints that kept a worker waiting are left alone for a while: whatever else waits for one of them would keep the
deliveries to all others waiting."""

from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from webhooks.models import Endpoint

SLOW_MILLISECONDS = 5000
REST = timedelta(minutes=5)


def rest(endpoint: Endpoint, now: datetime) -> None:
    """Leave an endpoint alone from now on."""
    cache.set(_key(endpoint), (now + REST).timestamp(), REST.total_seconds())


def rests_until(endpoint: Endpoint, now: datetime) -> datetime | None:
    """Return until when an endpoint is left alone; None when it is not, or not any more."""
    until = datetime.fromtimestamp(cache.get(_key(endpoint), 0), UTC)
    return until if until > now else None


def wake(endpoint: Endpoint) -> None:
    """Tell an endpoint again at once: whoever owns it has done something about it, or wants to see."""
    cache.delete(_key(endpoint))


def _key(endpoint: Endpoint) -> str:
    return f"webhooks:rests:{endpoint.uid}"
