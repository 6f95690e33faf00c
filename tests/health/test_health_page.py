"""What the operator sees of every part, when it works and when it does not."""

import re
import socket
import time
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from dns.models import Signer
from health.parts import OUTSIDE, parts
from mailhost import heartbeat
from mailhost.models import Job
from tests.routes.cast import Statements, a_member
from tests.webside import signed_in

MOST_STATEMENTS = 15


def states() -> dict[str, str]:
    return {part.name: part.finding.state for part in parts(timezone.now())}


def facts() -> dict[str, str]:
    return {part.name: part.finding.fact for part in parts(timezone.now())}


def until_the_clock_was_seen() -> None:
    """A stack that has just started announces its first jobs after ten seconds."""
    ends = time.monotonic() + 60
    while heartbeat.seconds_since() is None and time.monotonic() < ends:
        time.sleep(0.2)


def test_every_part_of_a_running_installation_is_found_to_work(db):
    until_the_clock_was_seen()

    found = {part.name: (part.finding.state, part.finding.fact) for part in parts(timezone.now())}

    # Nothing has reported to this test's own database yet, and nothing waits in it.
    expected = {"signers": "waiting", "host": "waiting"}
    assert {name: fact for name, fact in found.items() if fact[0] != expected.get(name, "ok")} == {}
    assert set(found) == {"database", "signers", "jobs", "host", *(part.name for part in OUTSIDE)}


def test_what_does_not_answer_is_red_with_what_to_do_and_the_page_stands(operator, monkeypatch):
    monkeypatch.setenv("MAILHOST_CONFIG_GUARD_SOCKET", "/nonexistent/guard.sock")
    monkeypatch.setenv("MAILHOST_CONFIG_POSTFIX_CONFIG_DIR", "/nonexistent/postfix")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # Takes connections and never says a word.
        monkeypatch.setenv("MAILHOST_CONFIG_IMAP_PORT", str(silent.getsockname()[1]))
        started = time.monotonic()
        answer = operator.get("/health/")
        took = time.monotonic() - started

    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 200
    # A part that hangs would take for ever; the page waits for two seconds.
    assert took < 10
    assert "3 parts do not work." in page
    assert re.search(r"The guard of header From.*?Does not work.*?systemctl status mailhost-guard", page)
    assert re.search(r"Dovecot.*?Does not work.*?systemctl status dovecot", page)


def test_a_configuration_that_cannot_be_read_is_said_and_no_error(operator, monkeypatch):
    monkeypatch.setenv("MAILHOST_CONFIG_TLS_CERT_FILE", "not/absolute")

    answer = operator.get("/health/")

    assert answer.status_code == 200
    assert "run manage.py mailconfig check" in answer.content.decode()


def test_a_signer_that_is_silent_and_a_job_that_fails_are_red(db):
    Signer.objects.create(name="mx2.mailhost.example", domains=1)
    Job.objects.create(task="mailhost.tasks.send_mail", queue="default", attempts=3, due_at=timezone.now())

    found = facts()

    assert "mx2.mailhost.example: Nothing was heard of this signer" in found["signers"]
    assert found["jobs"] == "1 wait, 1 of them after a failure."
    assert (states()["signers"], states()["jobs"]) == ("problem", "problem")


def test_passwords_in_addresses_stay_out_of_what_is_said(db, settings):
    settings.REDIS_URL = "redis://:k8Vq-secret@127.0.0.1:1/0"

    assert "k8Vq-secret" not in facts()["redis"]
    assert states()["redis"] == "problem"


def test_the_page_asks_a_few_statements_however_much_there_is(operator):
    operator.get("/health/")
    with Statements() as few:
        operator.get("/health/")
    for number in range(30):
        Signer.objects.create(name=f"mx{number}.mailhost.example")
        Job.objects.create(task="x.tasks.y", queue="default", attempts=number, due_at=timezone.now())
    with Statements() as many:
        operator.get("/health/")

    assert len(few) == len(many) <= MOST_STATEMENTS


def test_a_reseller_sees_nothing_of_it(world, plain_static):
    rita = signed_in(a_member(world.rita, "owner").user)

    assert [rita.get(page).status_code for page in ("/health/", "/jobs/")] == [403, 403]
    assert "/health/" not in rita.get("/").content.decode()


def test_monitors_hear_that_the_process_lives_and_is_ready(db):
    with Statements() as asked:
        alive = Client().get("/healthz")
    ready = Client().get("/readyz")

    assert (alive.status_code, alive.content, len(asked)) == (200, b"ok\n", 0)
    assert (ready.status_code, ready.content) == (200, b"ready\n")
    assert "sessionid" not in alive.cookies
    assert "no-store" in ready["Cache-Control"]


def test_without_its_database_a_process_lives_and_is_not_ready(django_db_setup, django_db_blocker, monkeypatch):
    with django_db_blocker.unblock():
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "HOST", str(Path("/nonexistent/mysqld.sock")))
        alive, ready = Client().get("/healthz"), Client().get("/readyz")
        monkeypatch.undo()
        connection.close()

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.content == b"the database is away\n"


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_they_are_not_sent_on_to_https(settings, db, address):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get(address).status_code == 200
    assert Client().get("/sign-in/").status_code == 301
