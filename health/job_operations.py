"""What an operator does with a background job that does not succeed. The record names it by its number alone: what a
job was told may be somebody's mail."""

from collections.abc import Callable

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
    job.finished_at, job.discarded_by = timezone.now(), actor.label[:254]
    job.save(update_fields=["finished_at", "discarded_by"])
    if put_in_order := _when_discarded(job):
        put_in_order(**job.arguments)


@operation("jobs.recall")
def recall_job(actor: Actor, *, number: int) -> None:
    """Have a discarded job run after all. Raises Refused: not_found, running, not_discarded."""
    job = _locked(number)
    if not job.discarded_by or is_gone_when_discarded(job):
        raise Refused("not_discarded", "", _("This job was not discarded, or what waited for it is gone."))
    job.finished_at, job.due_at, job.discarded_by = None, timezone.now(), ""
    job.save(update_fields=["finished_at", "due_at", "discarded_by"])
    wake_after_commit(job)


def is_gone_when_discarded(job: Job) -> bool:
    """Whether discarding the job ends what waits for it, so that nothing is left to run it for."""
    return _when_discarded(job) is not None


def _when_discarded(job: Job) -> Callable[..., None] | None:
    """Return how the task puts in order what waits for it, if it says so as its `when_discarded`."""
    try:
        return getattr(import_string(job.task), "when_discarded", None)
    except ImportError:
        # Of a former release.
        return None


def _waiting(number: int) -> Job:
    job = _locked(number)
    if job.finished_at is not None:
        raise Refused("finished", "", _("This job is finished already."))
    return job


def _locked(number: int) -> Job:
    # A worker holds the row while it runs the job; whoever waits for it would wait as long as that takes.
    job = Job.objects.select_for_update(skip_locked=True).filter(pk=number).first()
    if job is None:
        if Job.objects.filter(pk=number).exists():
            raise Refused("running", "", _("This job is running just now. Look again in a moment."))
        raise Refused("not_found", "", _("This job does not exist."))
    return job
