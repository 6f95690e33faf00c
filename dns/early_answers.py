"""What a check under way has found so far, so that its page shows each answer as it comes.

A check writes all that it has found at once, in its own transaction. What is told before then is kept in the cache for
a minute: with Redis away, the page sees everything at the end.
"""

from datetime import datetime
from typing import Any

import structlog
from django.core.cache import cache

from dns.models import DnsRecord
from domains.models import Domain

log = structlog.get_logger(__name__)

KEPT_SECONDS = 60
COLUMNS = ("status", "found", "problem", "problem_said")


class EarlyAnswers:
    """Of one check of a domain: `tell` is called with each record as it was found."""

    def __init__(self, domain: Domain, now: datetime) -> None:
        self.key = _key(domain)
        self.at = now.timestamp()
        self.rows: list[dict[str, Any]] = []

    def tell(self, row: DnsRecord) -> None:
        self.rows.append({"uid": row.uid, **{name: getattr(row, name) for name in COLUMNS}})
        try:
            cache.set(self.key, {"at": self.at, "rows": self.rows}, KEPT_SECONDS)
        except Exception as error:  # whatever the cache's client raises, the check goes on
            log.warning("early_answers_not_kept", error=type(error).__name__)


def early_answers(domain: Domain, since: float) -> list[dict[str, Any]]:
    """Return what the check that was asked for at `since` (seconds since the epoch) has found so far, in the order in
    which it came."""
    try:
        kept = cache.get(_key(domain))
    except Exception as error:  # whatever the cache's client raises, the page is shown without
        log.warning("early_answers_not_read", error=type(error).__name__)
        return []
    return kept["rows"] if kept and kept["at"] >= since else []


def show_early(records: list[DnsRecord], answers: list[dict[str, Any]]) -> None:
    """Let records show what was found of them already; nothing is saved."""
    found = {answer["uid"]: answer for answer in answers}
    for record in records:
        for name in COLUMNS:
            if record.uid in found:
                setattr(record, name, found[record.uid][name])


def _key(domain: Domain) -> str:
    return f"dns:answers:{domain.uid}"
