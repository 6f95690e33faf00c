"""How often a sign-in may be tried: a few times for one account, more for one address, then a wait.

The limit of an account wherever from does not hold for addresses that it has signed in from of late: strangers who
guess cannot shut its owner out there. People and mailbox users are counted alike; an account is named by its kind and
sign-in ("mailbox anna@acme.example").

Counted in the cache (`mailhost.cache`).
"""

import hashlib
import ipaddress
import time
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil

from django.core.cache import cache
from django.utils.translation import gettext as _

WINDOW_SECONDS = 15 * 60
KNOWN_SECONDS = 30 * 24 * 60 * 60
# One account from one address; one address whatever the account; one account wherever from.
MOST_OF_PAIR, MOST_OF_ADDRESS, MOST_OF_ACCOUNT = 10, 60, 100
# Who has one IPv6 address has 2^64 of them.
IPV6_NETWORK = 64


def closed_until(address: str, account: str) -> datetime | None:
    """Return until when nothing is tried, because this address, this account or both together have failed too often
    of late; None while they have not."""
    limits = _limits(address, account)
    found = cache.get_many([*limits, *map(_end, limits), _known(address, account)])
    if _known(address, account) in found:
        del limits[_account(account)]
    # A count whose end is lost (the cache drops what it has no room for) holds for a window at the most.
    latest = time.time() + WINDOW_SECONDS
    ends = [found.get(_end(key), latest) for key, most in limits.items() if found.get(key, 0) >= most]
    return datetime.fromtimestamp(max(ends), UTC) if ends else None


def has_too_many(address: str, account: str) -> bool:
    """Say whether this address, this account or both together have failed too often of late."""
    return closed_until(address, account) is not None


def wait_until(end: datetime) -> str:
    """Say to a person until when the door is closed: by the clock, and how long that is."""
    minutes = max(1, ceil((end.timestamp() - time.time()) / 60))
    # To the next full minute: who comes back at the time that is named finds the door open.
    shown = datetime.fromtimestamp(ceil(end.timestamp() / 60) * 60, UTC)
    if minutes == 1:
        return _("Too many attempts. Try again at %(time)s UTC, in a minute.") % {"time": f"{shown:%H:%M}"}
    return _("Too many attempts. Try again at %(time)s UTC, in %(minutes)s minutes.") % {
        "time": f"{shown:%H:%M}",
        "minutes": minutes,
    }


def note_failure(address: str, account: str) -> None:
    """Count one failed sign-in. The window of each count begins with its first failure."""
    for key in _limits(address, account):
        if cache.add(key, 0, WINDOW_SECONDS):
            cache.set(_end(key), int(time.time()) + WINDOW_SECONDS, WINDOW_SECONDS)
        # ValueError: the count ran out between the two lines.
        with suppress(ValueError):
            cache.incr(key)


def note_success(address: str, account: str) -> None:
    """After a sign-in that succeeded: typing errors before it count no more, and the address is known."""
    cache.delete(_pair(address, account))
    cache.set(_known(address, account), 1, KNOWN_SECONDS)


def _limits(address: str, account: str) -> dict[str, int]:
    return {
        _pair(address, account): MOST_OF_PAIR,
        f"attempts:address:{_digest(_source(address))}": MOST_OF_ADDRESS,
        _account(account): MOST_OF_ACCOUNT,
    }


def _end(key: str) -> str:
    return f"{key}:end"


def _account(account: str) -> str:
    return f"attempts:account:{_digest(account)}"


def _known(address: str, account: str) -> str:
    return f"attempts:known:{_digest(f'{_source(address)} {account}')}"


def _pair(address: str, account: str) -> str:
    return f"attempts:pair:{_digest(f'{_source(address)} {account}')}"


def _source(address: str) -> str:
    """Return what counts as one place: an IPv4 address, an IPv6 network."""
    if ":" not in address:
        return address
    # A socket for both kinds shows every IPv4 address within one IPv6 network, which would be one place for all.
    if mapped := ipaddress.IPv6Address(address).ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def _digest(text: str) -> str:
    """What was typed is of any length and alphabet; a key is not."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
