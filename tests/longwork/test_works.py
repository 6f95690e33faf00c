"""Long work is done step by step, once, whatever happens in between."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey
from health.job_operations import discard_job
from longwork import tasks, works
from longwork.models import LongWork, State
from longwork.works import Run, begin, cancel
from mailhost import background
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tests.world import fresh

pytestmark = pytest.mark.django_db

HERE = "tests.longwork.test_works"


def count_up(run: Run, *, words: list[str]) -> None:
    """A work in steps of two that writes a row for each word, and takes no empty one."""
    for place, word in enumerate(words[run.done : run.done + 2], start=run.done):
        if not word:
            run.refuse(place, Refused("empty", "word", "Say something."))
            continue
        if word == "break":
            raise OSError("no space left")
        if word == "stop":
            raise Refused("stopped", "words", "No further.")
        background.later("tests.written", word=word)
        run.result["words"] = [*run.result.get("words", []), word]
    run.advance(2)


def idle(run: Run) -> None:
    """A work that never gets on."""


def whose(run: Run) -> None:
    with transaction.atomic():
        run.result = {"label": run.actor.label, "keys": ApiKey.objects.count()}


def started(world, *words: str) -> LongWork:
    return begin(world.as_acme, f"{HERE}.count_up", kind="words.count", total=len(words), words=list(words))


def work_off(steps: int = 50) -> None:
    """Be the worker, for so many steps."""
    for _ in range(steps):
        job = Job.objects.filter(task="longwork.tasks.run", finished_at=None).order_by("pk").first()
        if job is None:
            return
        background.run(job.pk)


def written() -> list[str]:
    jobs = Job.objects.filter(task="tests.written").order_by("pk")
    return [arguments["word"] for arguments in jobs.values_list("arguments", flat=True)]


def test_it_goes_step_by_step_and_says_how_far_it_is(world):
    work = started(world, "a", "", "c", "d", "e")
    seen = []
    for _ in range(5):
        seen.append((fresh(work).state, fresh(work).done))
        work_off(1)

    work = fresh(work)
    assert seen == [("queued", 0), ("running", 0), ("running", 2), ("running", 4), ("succeeded", 5)]
    assert (work.result, written()) == ({"words": ["a", "c", "d", "e"]}, ["a", "c", "d", "e"])
    assert work.errors == [{"row": 1, "pointer": "#/word", "code": "empty", "detail": "Say something."}]
    assert work.created_at <= work.started_at <= work.finished_at
    assert not Job.objects.filter(task="longwork.tasks.run", finished_at=None).exists()


def test_a_step_that_was_begun_twice_is_done_once(world, monkeypatch):
    work = started(world, "a", "b", "c")
    work_off(2)
    # A worker that is killed when its step is through but not committed leaves nothing of it.
    real = works._noted

    def killed(row, run):
        real(row, run)
        raise KeyboardInterrupt

    monkeypatch.setattr(works, "_noted", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        work_off(1)
    monkeypatch.setattr(works, "_noted", real)

    assert (fresh(work).done, written()) == (2, ["a", "b"])
    work_off()
    tasks.run(work.pk)

    assert (fresh(work).state, written()) == ("succeeded", ["a", "b", "c"])


def test_what_breaks_is_tried_five_times_and_then_said(world):
    work = started(world, "a", "b", "c", "break")
    work_off(3)
    job = Job.objects.get(task="longwork.tasks.run")
    waits = []
    for _ in range(3):
        now = timezone.now()
        background.run(job.pk, now)
        job.refresh_from_db()
        waits.append((job.due_at - now).total_seconds())

    work = fresh(work)
    assert (waits, work.state, work.done, written()) == ([4, 8, 16], "running", 2, ["a", "b"])
    work_off(1)
    work = fresh(work)
    assert (work.state, work.fault["code"]) == ("failed", "internal_error")
    assert "no space" not in work.fault["detail"]


def test_a_refusal_ends_it_and_is_told(world):
    work = started(world, "a", "b", "c", "stop", "e")

    work_off()

    work = fresh(work)
    errors = [{"pointer": "#/words", "code": "stopped", "detail": "No further."}]
    assert (work.state, work.done, written()) == ("failed", 2, ["a", "b"])
    assert work.fault == {"code": "validation_failed", "detail": "No further.", "errors": errors}


def test_a_work_that_does_not_get_on_is_ended(world):
    work = begin(world.as_acme, f"{HERE}.idle", kind="idle", total=3)

    work_off()

    assert fresh(work).state == State.FAILED


def test_what_it_is_told_is_encrypted_and_forgotten_at_the_end(world):
    work = started(world, "pass-phrase")

    assert "pass-phrase" not in fresh(work).sealed_arguments
    assert "pass-phrase" not in str(list(Job.objects.values()))
    work_off()
    assert fresh(work).sealed_arguments == ""


def test_a_canceled_work_stops_and_keeps_what_it_has_done(world):
    work = started(world, "a", "b", "c", "d")
    work_off(2)

    with tenant_scope(world.acme.path):
        canceled = cancel(world.as_acme, work=work)
    work_off()

    assert (canceled.state, fresh(work).state, fresh(work).sealed_arguments, written()) == (
        "canceled", "canceled", "", ["a", "b"],
    )  # fmt: skip
    with tenant_scope(world.acme.path), pytest.raises(Refused, match="ended already"):
        cancel(world.as_acme, work=work)


def test_a_step_that_is_canceled_meanwhile_leaves_nothing(world, monkeypatch):
    work = started(world, "a", "b", "c", "d")
    work_off(2)
    real = works._do

    def canceled_meanwhile(row, run):
        real(row, run)
        LongWork.objects.filter(pk=row.pk).update(state=State.CANCELED)

    monkeypatch.setattr(works, "_do", canceled_meanwhile)
    work_off(1)

    # The cancellation of this test was of the same transaction, and is gone with the step.
    assert (fresh(work).done, written()) == (2, ["a", "b"])


def test_it_is_done_for_who_asked_and_sees_what_they_see(world):
    work = begin(world.as_acme, f"{HERE}.whose", kind="whose")

    work_off()

    assert fresh(work).result == {"label": "owner@acme.example", "keys": 0}


def test_a_work_ends_with_its_tenant_and_forgets_what_it_was_told(world):
    work = started(world, "a")
    with every_tenant("the test deletes a tenant"):
        world.acme.deleted_at = timezone.now()
        world.acme.save(update_fields=["deleted_at"])

    work_off()

    assert written() == []
    with every_tenant("the test looks behind the deletion"):
        row = LongWork._base_manager.get(pk=work.pk)
    assert (row.state, row.sealed_arguments) == (State.CANCELED, "")


def test_a_work_whose_job_is_discarded_ends_and_forgets_what_it_was_told(world):
    work = started(world, "a", "b", "c", "d")
    work_off(2)

    discard_job(world.as_operator, number=Job.objects.get(task="longwork.tasks.run").pk)
    work_off()

    row = fresh(work)
    assert (row.state, row.sealed_arguments, row.result, written()) == (
        State.CANCELED, "", {"words": ["a", "b"]}, ["a", "b"],
    )  # fmt: skip
    assert row.finished_at is not None


def test_a_work_that_no_job_goes_on_with_is_ended_after_an_hour(world):
    lost, young, waiting = (started(world, "a") for _ in range(3))
    jobs = Job.objects.filter(task="longwork.tasks.run")
    # As jobs were that an operator discarded before works were ended with them.
    jobs.filter(arguments__work_id__in=[lost.pk, young.pk]).update(finished_at=timezone.now())
    with every_tenant("the test turns back the clock"):
        aged = timezone.now() - tasks.ORPHANED - timedelta(minutes=1)
        LongWork.objects.filter(pk__in=[lost.pk, waiting.pk]).update(created_at=aged)

    assert tasks.end_orphans() == 1

    assert (fresh(lost).state, fresh(lost).sealed_arguments) == (State.CANCELED, "")
    assert [fresh(row).state for row in (young, waiting)] == [State.QUEUED] * 2


def test_what_ended_is_kept_for_thirty_days(world):
    old, young, waiting = (started(world, "a") for _ in range(3))
    with every_tenant("the test turns back the clock"):
        LongWork.objects.filter(pk=old.pk).update(finished_at=timezone.now() - tasks.KEPT - timedelta(hours=1))
        LongWork.objects.filter(pk=young.pk).update(finished_at=timezone.now() - tasks.KEPT + timedelta(hours=1))

        assert tasks.forget_old_works() == 1
        assert set(LongWork.objects.values_list("pk", flat=True)) == {young.pk, waiting.pk}


def test_a_work_that_a_new_release_no_longer_knows_is_ended(world):
    work = begin(world.as_acme, f"{HERE}.of_a_former_release", kind="gone", total=1)

    work_off()

    assert (fresh(work).state, fresh(work).fault["code"]) == ("failed", "internal_error")
