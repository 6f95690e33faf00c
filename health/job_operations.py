"""What an operator does with a background job that does not succeed. The record names it by its number alone: what a
job was told may be somebody's mail."""

from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.background import wake_after_commit
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.operation import operation


@operation("jobs.retry")
def retry_job(actor: Actor, *, number: int) -> None:
    """Have a waiting job run now instead of at its next try. Raises Refused: not_found, running, finished."""
    job = _waiting(number)
    job.due_at = timezone.now()
    job.save(update_fields=["due_at"])
    wake_after_commit(job)


@operation("jobs.discard")
def discard_job(actor: Actor, *, number: int) -> None:
    """Let a waiting job never run. What it was for does not happen. Raises Refused: not_found, running, finished."""
    job = _waiting(number)
    job.finished_at = timezone.now()
    job.error = f"Discarded by {actor.label}. {job.error}"[:500]
    job.save(update_fields=["finished_at", "error"])
    _tell_task(job)


def _tell_task(job: Job) -> None:
    """Let the task put in order what waits for it: it may say how as its `when_discarded`."""
    try:
        task = import_string(job.task)
    except ImportError:
        # Of a former release.
        return
    if put_in_order := getattr(task, "when_discarded", None):
        put_in_order(**job.arguments)


def _waiting(number: int) -> Job:
    # A worker holds the row while it runs the job; whoever waits for it would wait as long as that takes.
    job = Job.objects.select_for_update(skip_locked=True).filter(pk=number).first()
    if job is None:
        if Job.objects.filter(pk=number).exists():
            raise Refused("running", "", _("This job is running just now. Look again in a moment."))
        raise Refused("not_found", "", _("This job does not exist."))
    if job.finished_at is not None:
        raise Refused("finished", "", _("This job is finished already."))
    return job
