"""Background work: `later()` writes a row in the caller's transaction and wakes a worker after the commit.

A rolled-back change starts nothing; a lost wake-up is found by the sweep, a periodic job.
Tasks are plain functions in a `tasks.py`, named by dotted path because a web process need not import them;
they take ids and may run twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from mailhost.inserts import insert, insert_all
from mailhost.models import Job
from mailhost.request_id import carrying, request_id

log = structlog.get_logger(__name__)

DEFAULT_QUEUE = "default"
# What must run on the mail host as the user that owns the key files.
SIGNER_QUEUE = "signer"
# What waits for servers that customers name: one that is silent must keep nobody's keys and DNS checks waiting.
WEBHOOK_QUEUE = "webhooks"
QUEUES = {"dns.tasks.write_signing_tables": SIGNER_QUEUE, "webhooks.tasks.deliver": WEBHOOK_QUEUE}

LONGEST_DELAY_SECONDS = 300
# Where counting ends, not trying: the column holds no more.
MOST_ATTEMPTS = 32767
RUN_JOB = "mailhost.run_job"


@dataclass(frozen=True)
class Again:
    """What a task returns that wants to be run once more, in so many seconds; `fault` says what went wrong, if so.

    For a task that notes its own failure in the database: what is raised is rolled back.
    """

    seconds: float
    fault: str = ""


def later(task: str, **arguments: Any) -> None:
    """Run `task` once this transaction has committed. One run finishes all jobs that wait for the same call."""
    wake_after_commit(insert(_job(task, arguments)))


def later_each(task: str, calls: Sequence[dict[str, Any]]) -> None:
    """Run `task` once with each of these arguments, as `later` does; all are written in one statement."""
    jobs = [_job(task, arguments) for arguments in calls]
    insert_all(jobs)
    for job in jobs:
        wake_after_commit(job)


def _job(task: str, arguments: dict[str, Any]) -> Job:
    queue = QUEUES.get(task, DEFAULT_QUEUE)
    return Job(task=task, arguments=arguments, queue=queue, due_at=timezone.now(), request_id=request_id())


def wake_after_commit(job: Job) -> None:
    transaction.on_commit(lambda: wake(job.pk, job.queue))


def wake(job_id: int, queue: str, delay_seconds: float = 0) -> None:
    """Tell a worker. The broker may be away: the sweep then finds the row."""
    from mailhost.celery import app

    try:
        app.send_task(RUN_JOB, args=[job_id], queue=queue, countdown=delay_seconds, retry=False, ignore_result=True)
    except Exception as error:  # whatever the broker's client raises, the request has succeeded
        log.warning("broker_away", job=job_id, error=type(error).__name__)


def run(job_id: int, now: datetime | None = None) -> None:
    """Run a waiting job and mark it finished. On an error note it and wait twice as long each time, five minutes at
    most, until it succeeds.

    The row is locked while it runs, so that a second worker passes it by; waiting jobs for the same call that were
    written before this one started are finished with it.
    """
    now = now or timezone.now()
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id, finished_at=None).first()
        if job is not None:
            with carrying(job.request_id):
                _run(job, now)


def _run(job: Job, now: datetime) -> None:
    # Read without a lock: a locking scan would hold, for a moment, the rows of jobs that other workers are just
    # being woken for, and they would pass them by.
    same = list(
        Job.objects.filter(task=job.task, arguments=job.arguments, finished_at=None)
        .exclude(pk=job.pk)
        .values_list("pk", flat=True)
    )
    try:
        with transaction.atomic():
            answer = import_string(job.task)(**job.arguments)
    except Exception as error:
        job.attempts = min(job.attempts + 1, MOST_ATTEMPTS)
        job.error = f"{type(error).__name__}: {error}"[:500]
        job.due_at = now + delay(job.attempts)
        job.save(update_fields=["attempts", "error", "due_at"])
        log.exception("job_failed", job=job.pk, task=job.task, attempts=job.attempts, error=job.error)
        return
    if isinstance(answer, Again):
        put_off(job, answer, now)
        return
    for pk in (job.pk, *same):
        # One by one, by primary key; a row that another worker has locked it will finish itself.
        if Job.objects.select_for_update(skip_locked=True).filter(pk=pk, finished_at=None).first():
            Job.objects.filter(pk=pk).update(finished_at=timezone.now(), error="")


def put_off(job: Job, again: Again, now: datetime) -> None:
    """Have the job run once more, as its task asked."""
    job.due_at = now + timedelta(seconds=again.seconds)
    if again.fault:
        job.attempts = min(job.attempts + 1, MOST_ATTEMPTS)
        job.error = again.fault[:500]
        log.error("job_failed", job=job.pk, task=job.task, attempts=job.attempts, error=job.error)
    job.save(update_fields=["attempts", "error", "due_at"])
    transaction.on_commit(lambda: wake(job.pk, job.queue, again.seconds))


def delay(attempts: int) -> timedelta:
    """Return how long a job waits after this many failures: 2, 4, 8 … and at last 300 seconds."""
    return timedelta(seconds=min(2 ** min(attempts, 9), LONGEST_DELAY_SECONDS))


def sweep(now: datetime | None = None) -> int:
    """Wake workers for what is due, and forget what finished a day ago. Returns how many were woken."""
    now = now or timezone.now()
    Job.objects.filter(finished_at__lt=now - timedelta(days=1)).delete()
    # A job this young has just been announced.
    due = Job.objects.filter(finished_at=None, due_at__lt=now - timedelta(seconds=5))
    jobs = list(due.order_by("due_at").values_list("pk", "queue")[:500])
    for job_id, queue in jobs:
        wake(job_id, queue)
    return len(jobs)
