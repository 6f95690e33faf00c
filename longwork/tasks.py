"""Background doors of long work."""

from datetime import timedelta

from django.utils import timezone

from longwork import works
from longwork.models import LongWork
from mailhost.background import Again
from mailhost.models import Job
from mailhost.scope import every_tenant

KEPT = timedelta(days=30)
FORGOTTEN_AT_ONCE = 500
# Work and job are written together; by now there is a job, or there will be none.
ORPHANED = timedelta(hours=1)


def run(work_id: int) -> Again | None:
    """Do the next step of a work; end it when its tenant is gone meanwhile."""
    with every_tenant("a task knows a work by its id alone"):
        row = LongWork.objects.select_related("tenant").filter(pk=work_id).first()
        if row is None:
            return None
        if row.tenant.deleted_at is not None:
            return works.give_up(row)
        return works.step(row)


def abandon(work_id: int) -> None:
    """End a work whose job an operator has discarded: no step of it follows, and what it was told is forgotten."""
    with every_tenant("a task knows a work by its id alone"):
        row = LongWork.objects.filter(pk=work_id).first()
        if row is not None:
            works.give_up(row)


run.when_discarded = abandon  # type: ignore[attr-defined]


def end_orphans() -> int:
    """End works that no job will ever go on with; return how many. They would wait, and keep what they were told."""
    ended = 0
    with every_tenant("the works of all tenants are looked through by the clock"):
        # Read before the jobs: a work that ends in between is not open any more when it is to be ended.
        waiting = list(LongWork.objects.open().filter(created_at__lt=timezone.now() - ORPHANED))
        jobs = Job.objects.filter(task=works.RUN, finished_at=None).values_list("arguments", flat=True)
        attended = {arguments["work_id"] for arguments in jobs}
        for row in waiting:
            if row.pk not in attended:
                works.give_up(row)
                ended += 1
    return ended


def forget_old_works() -> int:
    """Delete what ended longer ago than it is kept; return how many."""
    count = 0
    with every_tenant("the works of all tenants are forgotten by the clock"):
        old = LongWork.objects.filter(finished_at__lt=timezone.now() - KEPT).order_by("finished_at")
        while pks := list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
            count += LongWork.objects.filter(pk__in=pks).delete()[0]
    return count
