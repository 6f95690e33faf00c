"""What the DNS tools found, remembered for as long as DNS says, and a limit on how often one asks."""

import hashlib
from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.utils.translation import gettext as _

from dns import tools
from dns.tools import Found
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.said import restored, storable
from mailhost.waiting import waiting

log = structlog.get_logger(__name__)

# Lookups that go out to DNS, for each key or person: strangers' servers are asked in our name.
MOST_A_MINUTE = 60
# Acts on zones, for each tenant.
MOST_ACTS_A_MINUTE = 30
WINDOW_SECONDS = 60


class TooManyLookups(Refused):
    """Whoever asks has asked too often within the window."""


def look(actor: Actor, kind: str, name: str) -> Found:
    """Look up one kind of record, or repeat what was found. Raises Refused: too_many_lookups, and as `tools.look`."""
    return _remembered(f"{kind}:{name.strip().lower()}", lambda: tools.look(kind, name), actor)


def whole_check(actor: Actor, domain: str, ip: str | None) -> Found:
    """Check all of a domain. Raises Refused: too_many_lookups, and as `tools.check`."""
    return _remembered(f"check:{domain.strip().lower()}:{ip or ''}", lambda: tools.check(domain, ip), actor)


def _remembered(subject: str, ask: Callable[[], Found], actor: Actor) -> Found:
    key = f"dns:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
    try:
        if (known := cache.get(key)) is not None:
            return restored(known)
        _refuse_too_many(actor)
    except Refused:
        raise
    except Exception as error:  # whatever the cache's client raises, the question is still answered
        log.warning("dns_tools_not_counted", error=type(error).__name__)
    with waiting():
        found = ask()
    try:
        cache.set(key, storable(found), _seconds(found))
    except Exception as error:  # see above
        log.warning("dns_tools_not_remembered", error=type(error).__name__)
    return found


def _seconds(found: Found) -> int:
    """Return the least TTL of an answer and of all that it is made of."""
    own = [found["ttl"]] if "ttl" in found else []
    inner = [_seconds(part) for part in found.values() if isinstance(part, dict)]
    return min([*own, *inner], default=tools.SHORTEST_SECONDS)


def refuse_too_many_acts(actor: Actor, domain: Domain) -> None:
    """Count an act on the domain's zone: its tenant's people and keys share what they may ask of strangers' servers.

    Raises Refused: too_many_lookups.
    """
    if actor.user_id is None and actor.key_id is None:
        # What we do by the clock has a pace of its own.
        return
    try:
        _count(f"zone:{domain.tenant_id}", MOST_ACTS_A_MINUTE, _("Too much at once. Try again in a minute."))
    except Refused:
        raise
    except Exception as error:  # whatever the cache's client raises, the act is still done
        log.warning("zone_acts_not_counted", error=type(error).__name__)


def _refuse_too_many(actor: Actor) -> None:
    who = f"key:{actor.key_id}" if actor.key_id else f"user:{actor.user_id}"
    said = _("At most %(most)s lookups a minute. Try again in a minute.") % {"most": MOST_A_MINUTE}
    _count(who, MOST_A_MINUTE, said)


def _count(who: str, most: int, refusal: str) -> None:
    key = f"dns:count:{who}"
    cache.add(key, 0, WINDOW_SECONDS)
    if cache.incr(key) > most:
        raise TooManyLookups("too_many_lookups", "", refusal)
