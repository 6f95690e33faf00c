"""The days, by the clock."""

from django.utils import timezone

from billing import closing
from mailhost.scope import every_tenant


def close_days() -> None:
    """Close yesterday, once it is over; every run after the first of a day finds nothing to do."""
    with every_tenant("a day is closed for all"):
        closing.close_days(timezone.now())
