"""The days, by the clock."""

from datetime import timedelta

from django.utils import timezone

from billing import closing
from mailhost.scope import every_tenant
from tenants import messages

# What is sent in a day's last second is counted a moment later.
SETTLES = timedelta(minutes=1)


def close_days() -> None:
    """Close yesterday, once it is over; every run after the first of a day finds nothing to do.

    Raises RedisError while what was sent cannot be read; the day is closed by a later run.
    """
    now = timezone.now() - SETTLES
    messages.store(now)
    with every_tenant("a day is closed for all"):
        closing.close_days(now)
