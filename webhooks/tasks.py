"""Deliveries, once and by the clock."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from mailhost.background import later
from mailhost.scope import every_tenant
from webhooks import delivery as deliveries
from webhooks import outbox
from webhooks.models import Delivery, Message, State
from webhooks.outbox import DELIVER

MOST_AT_ONCE = 500
KEPT = timedelta(days=30)
# A delivery this long overdue has lost its job.
OVERDUE = timedelta(seconds=8)


def deliver(delivery_id: int) -> None:
    """Make one attempt, unless another worker is at it."""
    now = timezone.now()
    with every_tenant("a task gets an id and no actor"), transaction.atomic():
        row = Delivery.objects.select_for_update(skip_locked=True).filter(pk=delivery_id).first()
        if row is not None:
            deliveries.deliver(row, now)


def announce(delivery_ids: list[int]) -> None:
    """Wake a worker for each of many deliveries."""
    outbox.announce(delivery_ids)


def send_due() -> None:
    """Announce the attempts that have become due, and forget messages of more than 30 days."""
    now = timezone.now()
    with every_tenant("attempts of every tenant become due by the clock"):
        due = Delivery.objects.filter(state=State.PENDING, attempts__gt=0, due_at__lte=now)
        lost = Delivery.objects.filter(state=State.PENDING, attempts=0, due_at__lte=now - OVERDUE)
        for rows in (due, lost):
            for pk in rows.order_by("due_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE]:
                with transaction.atomic():
                    later(DELIVER, delivery_id=pk)
        Message.objects.filter(created_at__lt=now - KEPT).delete()
