"""The real web server and a real worker: whoever waits gets the usual answer, and a killed worker loses nothing."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.db import transaction

from accounts.actors import actor_of_key
from accounts.api_keys import find_key
from accounts.operations import revoke_api_key
from longwork.models import LongWork
from longwork.works import begin
from mailboxes.models import Mailbox
from mailhost import background
from mailhost.failpoints import VARIABLE
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.apiside import make_key
from tests.world import PASSWORD_HASH, actor_of, fresh, make_world, verified_domain

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30
WAKE = background.wake


@pytest.fixture
def customer(live):
    """A customer with a domain of its own in the stack's database; its key and its domain's name."""
    world = make_world()
    name = f"long-{secrets.token_hex(4)}.example"
    verified_domain(world.as_acme, name)
    return world.acme, make_key(world.acme), name


def batch(side, key: str, name: str, count: int, prefer: str):
    items = [{"email": f"u{n}@{name}", "password_hash": PASSWORD_HASH, "storage_quota": 5} for n in range(count)]
    return httpx.post(
        f"{side.info['web']['url']}/api/v1/mailboxes/batch",
        json={"mode": "partial", "items": items},
        headers={"Authorization": f"Bearer {key}", "Prefer": prefer},
        timeout=PATIENCE_SECONDS,
    )


def made(name: str) -> int:
    with every_tenant("a test counts"):
        return Mailbox.objects.live().filter(domain__domain_name=name).count()


def test_whoever_waits_gets_the_usual_answer(live, customer):
    _, key, name = customer

    answer = batch(live, key, name, 150, "respond-async, wait=10")

    assert answer.status_code == 200, answer.text
    assert (answer.json()["created"], made(name)) == (150, 150)
    assert answer.headers["Preference-Applied"] == "wait=10"
    assert answer.headers["Location"].startswith("/api/v1/operations/op_")
    assert "no-store" in answer.headers["Cache-Control"]


def unattended(actor, name: str) -> tuple[LongWork, Job]:
    """Begin a batch that no worker of the stack will find."""
    items = [{"email": f"u{n}@{name}", "password_hash": PASSWORD_HASH, "storage_quota": 5} for n in range(250)]
    with transaction.atomic(), every_tenant("a test begins long work"):
        work = begin(actor, "mailboxes.works.create_batch", kind="tests", total=250, mode="partial", items=items)
        Job.objects.filter(task="longwork.tasks.run", arguments={"work_id": work.pk}).update(queue="nobody")
    return work, Job.objects.get(queue="nobody", arguments={"work_id": work.pk})


@contextmanager
def stopped_in_a_step(job: Job, folder: Path) -> Iterator[None]:
    """A worker of its own that has done a step of the job, and stands still before it has committed."""
    (folder / "longwork.step").touch()
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", f"from mailhost import background; background.run({job.pk})"],
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(folder), "DJANGO_SETTINGS_MODULE": "mailhost.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while not (folder / "longwork.step.reached").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert (folder / "longwork.step.reached").exists()
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture
def no_wake_up(monkeypatch) -> None:
    """The wake-up would go to the stack's own worker."""
    monkeypatch.setattr(background, "wake", lambda *_: None)


@pytest.mark.usefixtures("no_wake_up")
def test_a_worker_killed_in_the_middle_of_a_step_loses_and_doubles_nothing(live, customer, tmp_path):
    tenant, _, name = customer
    work, job = unattended(actor_of(tenant), name)
    background.run(job.pk)
    background.run(job.pk)
    assert made(name) == 100

    with stopped_in_a_step(job, tmp_path):
        assert (fresh(work).done, made(name)) == (100, 100)

    # The database lets go of the job as soon as it notices that its holder is gone.
    until = time.monotonic() + PATIENCE_SECONDS
    while not fresh(work).is_finished and time.monotonic() < until:
        background.run(job.pk)
    work = fresh(work)
    assert (work.state, work.done, work.result["created"], made(name)) == ("succeeded", 250, 250, 250)


@pytest.mark.usefixtures("no_wake_up")
def test_a_worker_makes_nothing_more_for_a_key_that_was_revoked(live, customer):
    tenant, text, name = customer
    key = find_key(f"Bearer {text}".encode())
    work, job = unattended(actor_of_key(key, address="127.0.0.1"), name)
    background.run(job.pk)
    background.run(job.pk)
    revoke_api_key(actor_of(tenant), key=key)

    # From here it is the stack's own worker's.
    Job.objects.filter(pk=job.pk).update(queue=background.DEFAULT_QUEUE)
    WAKE(job.pk, background.DEFAULT_QUEUE)
    until = time.monotonic() + PATIENCE_SECONDS
    while not fresh(work).is_finished and time.monotonic() < until:
        time.sleep(0.02)

    work = fresh(work)
    assert (work.state, work.fault["code"], work.sealed_arguments) == ("failed", "not_permitted", "")
    assert (work.done, work.result["created"], made(name)) == (100, 100, 100)
    # Its account reads what became of it; the key itself opens nothing any more.
    path = f"{live.info['web']['url']}/api/v1/operations/op_{work.uid}"
    reader = {"Authorization": f"Bearer {make_key(tenant)}"}
    told = httpx.get(path, headers=reader).json()
    assert (told["state"], told["progress"]) == ("failed", {"done": 100, "total": 250})
    assert "revoked" in told["problem"]["detail"]
    assert httpx.get(path, headers={"Authorization": f"Bearer {text}"}).status_code == 401
