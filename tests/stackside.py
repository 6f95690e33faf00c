"""The stack that the tests stand on: one that runs already (`make stack-up`), or one of their own.

Chosen when the settings are read, because they name its sockets; started by `conftest.py` when the session begins;
pytest-xdist's workers inherit the choice through the environment.
"""

import atexit
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from celery import Celery

from stack.layout import REPORTS_ADDRESS, SETUP_HOST, load_secrets, migrations_fingerprint
from stack.services import SERVERS
from stack.stack import AlreadyRunning, Stack, runner_of
from stack.supervisor import end_leftovers

STATE = "MAILHOST_TEST_STATE"
# What every stack offers to its customers.
OFFERED = {
    "MAILHOST_SETUP_HOST": SETUP_HOST,
    "MAILHOST_DMARC_REPORTS": REPORTS_ADDRESS,
    "MAILHOST_TLS_REPORTS": REPORTS_ADDRESS,
}
YOUNG_SECONDS = 60

own: Stack | None = None


def choose() -> None:
    """Name the stack in the environment; make one of our own, not yet started, when none runs."""
    global own  # noqa: PLW0603 - one process has one stack
    if STATE in os.environ:
        return
    _clear_away()
    running = _running()
    if running:
        os.environ[STATE] = str(running)
        os.environ["MAILHOST_ENV_FILE"] = json.loads(running.read_text())["environment_file"]
        return
    own = Stack(f"private-{secrets.token_hex(3)}", say=_quiet)
    own.take()
    own.configure()
    atexit.register(discard, os.getpid())
    os.environ[STATE] = str(own.state_file)
    os.environ["MAILHOST_ENV_FILE"] = own.environment["MAILHOST_ENV_FILE"]


def _running() -> Path | None:
    """Return the stack.json of a running test stack whose tables are those of this code."""
    folder = Stack.var() / "test"
    state = folder / "stack.json"
    if not state.exists() or runner_of(folder / "test.lock") is None:
        return None
    return state if json.loads(state.read_text())["migrations"] == migrations_fingerprint() else None


def _clear_away() -> None:
    """End and delete stacks whose test session was killed: nobody holds their lock."""
    for folder in Stack.var().glob("private-*"):
        # A session that begins this moment may not have its lock yet.
        if time.time() - folder.stat().st_mtime < YOUNG_SECONDS:
            continue
        left = Stack(folder.name, say=_quiet)
        with suppress(AlreadyRunning):
            left.take()
            end_leftovers(left.home / "pids.json", _quiet)
            left.down()
            left.remove()


def _quiet(line: str) -> None:
    """A crash in the background is told by the test that provoked it, or by the log that is kept."""


def start() -> None:
    """Start our own stack, if that is what the tests stand on. Raises StepFailed."""
    # A session that is told to end (by `timeout`, for instance) must take its stacks with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if own:
        own.up()


def discard(process: int, keep_logs: bool = False) -> None:
    """Stop our own stack and delete its folder; its logs are kept in var/failed/ on request."""
    global own
    if own is None or os.getpid() != process:
        return
    stack, own = own, None
    stack.down()
    if keep_logs:
        kept = Stack.var() / "failed"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(stack.home / "log", kept)
    stack.remove()


class StackSide:
    """What a test sees of a stack: `info` is stack.json, `home` its folder."""

    def __init__(self, info: dict):
        self.info = info
        self.home = Path(info["home"])

    def port(self, service: str) -> int:
        return self.info[service]["port"]

    def database_settings(self) -> dict[str, str]:
        """Return what Django's connection needs for the live database that daemons and workers read."""
        mysql = self.info["mysql"]
        panel = mysql["users"]["panel"]
        return {
            "NAME": mysql["database"],
            "HOST": mysql["socket"],
            "USER": panel["user"],
            "PASSWORD": panel["password"],
        }


class SecondStack(StackSide):
    """A stack that a test may break: stop(name) and start(name) act on one service."""

    def __init__(self) -> None:
        self.stack = Stack(f"private-{secrets.token_hex(3)}", say=_quiet)
        # Also when the session is interrupted in the middle of a start.
        atexit.register(self.end)
        self.stack.up()
        super().__init__(self.stack.info)

    def stop(self, *names: str) -> None:
        self.stack.stop(*names)

    def start(self, *names: str) -> None:
        self.stack.start(*names)

    def mend(self) -> None:
        """Start whatever a test left stopped."""
        supervisor = self.stack.supervisor
        stopped = [name for name in supervisor.keepers if not supervisor.is_running(name)]
        # What the others stand on comes first.
        self.stack.start(*[name for name in stopped if name in SERVERS])
        self.stack.start(*[name for name in stopped if name not in SERVERS])

    def end(self) -> None:
        atexit.unregister(self.end)
        self.stack.down()
        self.stack.remove()


@contextmanager
def django_on(side: StackSide) -> Iterator[None]:
    """Be a process of this stack for a while: with its live database, its keys, its DNS and its worker."""
    from django.db import connection
    from django.test import override_settings

    import mailhost.celery

    connection.close()
    before = {name: connection.settings_dict[name] for name in side.database_settings()}
    connection.settings_dict.update(side.database_settings())
    try:
        port = side.port("dns")
        keys = load_secrets(side.home / "secrets.json")
        with (
            override_settings(
                MAILHOST_NAMESERVERS=[f"127.0.0.1@{port}"],
                MAILHOST_AUTHORITATIVE_PORT=port,
                **OFFERED,
                MAILHOST_POLICY_PORT=side.port("https"),
                MAILHOST_WEBHOOK_NETWORKS=["127.0.0.0/8"],
                # What is sealed here is opened by this stack's worker.
                MAILHOST_VAULT_KEYS=[keys["vault_keys"]],
                MAILHOST_DKIM_KEYS=[keys["dkim_keys"]],
                SECRET_KEY=keys["django"],
            ),
            _waking(side.info["redis"]["url"]) as celery,
            patch.object(mailhost.celery, "app", celery),
        ):
            yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


@contextmanager
def _waking(broker_url: str) -> Iterator[Celery]:
    """Send messages as the project's Celery does, to the worker behind this Redis."""
    from mailhost.celery import app

    with Celery(app.main, broker=broker_url, set_as_current=False) as other:
        other.conf.broker_transport_options = app.conf.broker_transport_options
        yield other
