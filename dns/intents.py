"""What is about to be changed in a zone, kept so that a killed act can be taken up.

A zone is not rolled back with our transaction. So the changes are committed as an intent first, by a connection of
their own, whatever transaction the act runs in; the act's own transaction takes the intent away together with what it
writes into the ledger. What is left over says what to look for in the zone.
"""

import contextvars
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from dns.changes import Change
from dns.models import PublishingIntent, ZoneHold

# Longer than an act may take: whoever began it is dead.
HELD_FOR = timedelta(seconds=60)


def hold(domain_pk: int) -> bool:
    """Keep everybody else from changing the domain's zone until this transaction ends; False where somebody does so
    at this moment. The row is locked before all others: who holds the domain never waits for it."""
    rows = ZoneHold.objects.filter(domain_pk=domain_pk)
    if not rows.exists():
        # Committed by itself: of two who come first, the second would wait for the end of the other's act.
        _at_once(lambda: ZoneHold.objects.bulk_create([ZoneHold(domain_pk=domain_pk)], ignore_conflicts=True))
    return rows.select_for_update(skip_locked=True).first() is not None


@contextmanager
def intended(domain_pk: int, zone: str, changes: Sequence[Change], now: datetime) -> Iterator[PublishingIntent]:
    """Keep in mind that these changes are being made. Whoever is through deletes what this yields; where that does not
    come to pass, the next act takes it up."""
    values = [change.as_dict() for change in changes]
    intent = _at_once(
        lambda: PublishingIntent.objects.create(domain_pk=domain_pk, zone=zone, changes=values, begun_at=now)
    )
    try:
        yield intent
    except BaseException:
        _at_once(lambda: PublishingIntent.objects.filter(pk=intent.pk).update(is_held=False))
        raise


def left_over(now: datetime, domain_pk: int | None = None) -> list[PublishingIntent]:
    """Return what acts that failed or were killed have left, oldest first, of one domain or of all."""
    rows = PublishingIntent.objects.order_by("pk")
    if domain_pk is not None:
        rows = rows.filter(domain_pk=domain_pk)
    return [row for row in rows if not row.is_held or row.begun_at < now - HELD_FOR]


def is_under_way(domain_pk: int, now: datetime) -> bool:
    """Whether somebody is changing the domain's zone at this moment."""
    return PublishingIntent.objects.filter(domain_pk=domain_pk, is_held=True, begun_at__gte=now - HELD_FOR).exists()


def changes_of(intent: PublishingIntent) -> list[Change]:
    return [Change.from_dict(values) for values in intent.changes]


def _at_once(write: Callable[[], Any]) -> Any:
    """Write and commit, whatever transaction is open here: a thread has a connection of its own."""

    def alone() -> Any:
        try:
            return write()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, alone).result()
