"""Signing keys behind aliases: the customer's domain has three CNAMEs for good, and keys move between their ends.

The ends stand in a zone of the operator's (MAILHOST_DKIM_ZONE), which this installation writes by itself; so later
keys need no act of the customer's. Here are the rules; `dns.key_zone` writes the zone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings

# One signs, one waits its turn, one retires.
SELECTORS = ("mh1", "mh2", "mh3")
# What stands in the operator's zone may be remembered for so long by whoever verifies.
KEY_TTL_SECONDS = 300
# A selector is given to the next key only when nobody remembers the former one under it any more.
RESTS_FOR = timedelta(hours=1)


def is_offered() -> bool:
    """Whether the operator has a zone for keys."""
    return bool(settings.MAILHOST_DKIM_ZONE)


def end_of_alias(selector: str, uid: str, zone: str) -> str:
    """Return where the alias of a selector leads. The claim's own id is in it: a later owner of the same name is never
    led to a former one's keys."""
    return f"{selector}.{uid}.{zone}"


def free_selector(used: Iterable[str], retired: Mapping[str, datetime], now: datetime) -> str:
    """Return the selector for the next key, "" when each is in use or still remembered.

    `used`: those of keys that DNS is to show; `retired`: when the last key under a selector was.
    """
    taken = set(used)
    free = [
        selector
        for selector in SELECTORS
        if selector not in taken and (selector not in retired or retired[selector] <= now - RESTS_FOR)
    ]
    # The one that was used longest ago.
    return min(free, key=lambda selector: (selector in retired, retired.get(selector, now)), default="")
