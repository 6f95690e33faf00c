"""Closing a day: what each tenant used is written once, all tenants at once or none."""

from datetime import date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q, Sum

from billing.models import BillingEvent, ClosedDay
from tenants.models import Allowance, SentMessages
from tenants.usage import COLUMNS

MEGABYTE = 1024 * 1024
STORED, SENT = "stored_bytes", "messages"
# The records of so many tenants are made at a time.
BATCH = 2000


def close_days(now: datetime) -> int:
    """Close every day up to yesterday (UTC) that is not closed yet; return how many were.

    A day that nobody closed in time is closed with what the book says now. The caller has entered all tenants.
    """
    yesterday = now.date() - timedelta(days=1)
    closed = 0
    while True:
        with transaction.atomic():
            # MariaDB lets one closer in; the others find the day closed.
            state, _ = ClosedDay.objects.select_for_update().get_or_create(pk=1)
            day = yesterday if state.last is None else state.last + timedelta(days=1)
            if day > yesterday:
                return closed
            _close(day, now)
            state.last = day
            state.save(update_fields=["last"])
            closed += 1


def _close(day: date, now: datetime) -> None:
    begin = datetime.combine(day, datetime.min.time(), now.tzinfo)
    # Who was deleted on that day, or after it, has used something on it.
    was_there = Q(is_live=True) | Q(tenant__deleted_at__gte=begin)
    pages = Allowance.objects.filter(was_there, tenant__created_at__lt=begin + timedelta(days=1)).order_by("pk")
    of_day = SentMessages.objects.filter(day=day).order_by()
    sent = {pk: int(number) for pk, number in of_day.values_list("tenant_id").annotate(Sum("messages"))}
    unread = pages.values("tenant_id", *COLUMNS).iterator(BATCH)
    while batch := list(islice(unread, BATCH)):
        BillingEvent.objects.bulk_create(
            [
                BillingEvent(tenant_id=page["tenant_id"], day=day, metric=metric, value=value, created_at=now)
                for page in batch
                for metric, value in metrics(page | {SENT: sent.get(page["tenant_id"], 0)}).items()
            ],
            batch_size=BATCH,
        )


def metrics(page: dict[str, int]) -> dict[str, int]:
    """Return what of a tenant's page is billed, by metric. What is stored counts in MB, begun ones too; what was sent
    that day, once for each recipient."""
    counted = {name.removeprefix("used_"): page[name] for name in COLUMNS if name.startswith("used_")}
    stored = {"stored_mb": -(-page[STORED] // MEGABYTE), "stored_messages": page["stored_messages"]}
    return {**counted, **stored, SENT: page[SENT]}


METRICS = tuple(metrics(dict.fromkeys((*COLUMNS, SENT), 0)))
