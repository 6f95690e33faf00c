"""Background jobs that do not succeed: seen, run again, discarded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from health.job_operations import discard_job
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.routes.cast import Statements

LATER = timedelta(minutes=5)


def a_job(**columns) -> Job:
    values = {"task": "mailhost.tasks.send_mail", "queue": "default", "due_at": timezone.now() + LATER}
    return Job.objects.create(**values | {"arguments": {"to": "anna@acme.example", "text": "Her secret"}} | columns)


def test_a_failure_is_shown_with_its_reason_and_without_secrets(operator):
    a_job(attempts=4, error="OperationalError: redis://:k8Vq-river@127.0.0.1 refused mh_live_0123456789abcdef")
    a_job(task="dns.tasks.make_key")

    page = operator.get("/jobs/?state=failing").content.decode()

    assert "Failed 4 times" in page
    assert "OperationalError: redis://(…)@127.0.0.1 refused (…)" in page
    assert "make_key" not in page
    # What a mail says is not for this page.
    assert "Her secret" not in page
    assert "anna@acme.example" not in page


def test_a_job_runs_at_once_when_the_operator_says_so(operator):
    job = a_job(attempts=9)

    answer = operator.post(f"/jobs/{job.pk}/retry/", follow=True)

    job.refresh_from_db()
    assert job.due_at <= timezone.now()
    assert job.finished_at is None
    assert "The job runs now." in answer.content.decode()


def test_a_discarded_job_never_runs_and_the_record_names_who_did_it_and_no_mail(operator, world):
    job = a_job(attempts=9, error="SMTPRecipientsRefused")

    answer = operator.post(f"/jobs/{job.pk}/discard/", follow=True)

    job.refresh_from_db()
    assert job.finished_at is not None
    assert (job.discarded_by, job.error) == ("owner@mailhost.example", "SMTPRecipientsRefused")
    assert "was discarded" in answer.content.decode()
    with every_tenant("a test reads the record"):
        event = Event.objects.latest("pk")
    assert (event.action, event.details, event.actor) == (
        "jobs.discard",
        {"number": job.pk},
        "owner@mailhost.example",
    )
    assert "Her secret" not in str([event.details, event.before, event.after, event.object])


def test_discarded_jobs_are_listed_apart_with_who_did_it_and_run_after_all(operator):
    job, done = a_job(attempts=2), a_job(task="dns.tasks.make_key", finished_at=timezone.now())
    operator.post(f"/jobs/{job.pk}/discard/")

    pages = {state: operator.get(f"/jobs/?state={state}").content.decode() for state in ("", "finished", "discarded")}

    assert {state: (f" {job.pk}<" in page, f" {done.pk}<" in page) for state, page in pages.items()} == {
        "": (False, False),
        "finished": (False, True),
        "discarded": (True, False),
    }
    assert "by owner@mailhost.example" in pages["discarded"]
    assert f'action="/jobs/{job.pk}/recall/"' in pages["discarded"]


def test_what_is_finished_is_neither_discarded_nor_run(operator, world):
    job = a_job(finished_at=timezone.now())

    with pytest.raises(Refused, match="finished already"):
        discard_job(world.as_operator, number=job.pk)
    assert "finished already" in operator.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()


def test_a_reseller_may_not(world):
    with pytest.raises(NotPermitted):
        discard_job(world.as_rita, number=a_job().pk)


def test_the_list_asks_the_same_few_statements_however_long_it_is(operator):
    a_job()
    with Statements() as few:
        operator.get("/jobs/")
    for number in range(60):
        a_job(attempts=number)
    with Statements() as many:
        operator.get("/jobs/")

    assert len(few) == len(many) <= 10
