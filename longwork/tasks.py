"""Background doors of long work."""

from datetime import timedelta

from django.utils import timezone

from longwork import works
from longwork.models import LongWork
from mailhost.background import Again
from mailhost.scope import every_tenant

KEPT = timedelta(days=30)
FORGOTTEN_AT_ONCE = 500


def run(work_id: int) -> Again | None:
    """Do the next step of a work; end it when its tenant is gone meanwhile."""
    with every_tenant("a task knows a work by its id alone"):
        row = LongWork.objects.select_related("tenant").filter(pk=work_id).first()
        if row is None:
            return None
        if row.tenant.deleted_at is not None:
            return works.give_up(row)
        return works.step(row)


def forget_old_works() -> int:
    """Delete what ended longer ago than it is kept; return how many."""
    count = 0
    with every_tenant("the works of all tenants are forgotten by the clock"):
        old = LongWork.objects.filter(finished_at__lt=timezone.now() - KEPT).order_by("finished_at")
        while pks := list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
            count += LongWork.objects.filter(pk__in=pks).delete()[0]
    return count
