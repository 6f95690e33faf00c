"""Deliveries, once and by the clock."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from mailhost.models import Job
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
            if pks := list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE]):
                waiting = under_way()
                with transaction.atomic():
                    outbox.announce([pk for pk in pks if pk not in waiting])
        old = Message.objects.filter(created_at__lt=now - KEPT).order_by("created_at").values_list("pk", flat=True)
        Message.objects.filter(pk__in=list(old[:MOST_AT_ONCE])).delete()


def under_way() -> set[int]:
    """Return the deliveries that a worker is at or has yet to come to: announced once more each time the clock looks,
    they would only be more the longer the workers take."""
    jobs = Job.objects.filter(task=DELIVER, finished_at=None).values_list("arguments", flat=True)
    return {arguments["delivery_id"] for arguments in jobs}
