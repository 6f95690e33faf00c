"""Background work is done in the end, however long what it needs was away."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailhost import background
from mailhost.models import Job

pytestmark = pytest.mark.django_db

TASK = "tests.mailhost.test_background.work"
calls: list[str] = []
is_broken = False


def work(word: str) -> None:
    if is_broken:
        raise OSError("no space left")
    calls.append(word)


@pytest.fixture(autouse=True)
def broken(monkeypatch):
    """The task fails until it is told otherwise."""
    calls.clear()
    monkeypatch.setattr(f"{__name__}.is_broken", True)


def job_of(attempts: int = 0) -> Job:
    return Job.objects.create(
        task=TASK, arguments={"word": "x"}, queue="default", due_at=timezone.now(), attempts=attempts
    )


def test_each_wait_is_twice_as_long_up_to_five_minutes():
    seconds = [background.delay(attempts).total_seconds() for attempts in (1, 2, 3, 8, 9, 10, 32767)]

    assert seconds == [2, 4, 8, 256, 300, 300, 300]


def test_a_job_that_failed_for_days_is_announced_and_tried_until_it_succeeds(caplog, monkeypatch):
    job, now = job_of(), timezone.now()
    for _ in range(20):
        background.run(job.pk, now)
    job.refresh_from_db()
    failures = [record.levelname for record in caplog.records if "job_failed" in record.getMessage()]

    assert (job.attempts, job.due_at, job.finished_at) == (20, now + timedelta(seconds=300), None)
    assert failures == ["ERROR"] * 20
    assert background.sweep(now + timedelta(seconds=306)) == 1

    monkeypatch.setattr(f"{__name__}.is_broken", False)
    background.run(job.pk)

    job.refresh_from_db()
    assert calls == ["x"]
    assert job.finished_at is not None


def test_the_count_of_attempts_stays_in_its_column():
    job = job_of(background.MOST_ATTEMPTS)

    background.run(job.pk)

    job.refresh_from_db()
    assert (job.attempts, job.error) == (background.MOST_ATTEMPTS, "OSError: no space left")


def test_calls_alike_that_wait_together_are_run_once(monkeypatch):
    monkeypatch.setattr(f"{__name__}.is_broken", False)
    for _ in range(3):
        background.later(TASK, word="x")
    background.later(TASK, word="y")

    for pk in Job.objects.order_by("pk").values_list("pk", flat=True):
        background.run(pk)

    assert calls == ["x", "y"]


def test_the_sweep_reads_by_an_index():
    Job.objects.bulk_create(
        Job(task=TASK, queue="default", due_at=timezone.now(), finished_at=timezone.now()) for _ in range(500)
    )
    job_of()
    with CaptureQueriesContext(connection) as asked:
        background.sweep(timezone.now() + timedelta(minutes=1))
    [query] = [each["sql"] for each in asked if each["sql"].startswith("SELECT") and "`queue`" in each["sql"]]

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        [row] = [dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))]

    assert (row["key"], int(row["rows"]) < 50) == ("job_waiting", True)


def test_a_task_that_wants_to_run_again_waits_as_long_as_it_says_and_keeps_what_it_wrote(monkeypatch):
    woken = []
    monkeypatch.setattr(background, "wake", lambda job_id, queue, seconds=0: woken.append((job_id, seconds)))
    monkeypatch.setattr(f"{__name__}.work", lambda word: background.Again(7))
    job, now = job_of(), timezone.now()

    with TestCase.captureOnCommitCallbacks(execute=True):
        background.run(job.pk, now)

    job.refresh_from_db()
    assert (job.attempts, job.due_at, job.finished_at, job.error) == (0, now + timedelta(seconds=7), None, "")
    assert woken == [(job.pk, 7)]


def test_a_task_that_wants_to_run_again_after_a_failure_says_so_loudly(monkeypatch, caplog):
    monkeypatch.setattr(f"{__name__}.work", lambda word: background.Again(15, fault="OSError: no space left"))
    job = job_of()

    background.run(job.pk)

    job.refresh_from_db()
    assert (job.attempts, job.error, job.finished_at) == (1, "OSError: no space left", None)
    assert "job_failed" in caplog.text
