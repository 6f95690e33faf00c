"""Fixtures that every test may use: a database of its own per worker, the live stack, a stack to break."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import MySQLdb
import pytest
from xdist.scheduler import LoadScopeScheduling

from stack.supervisor import StepFailed
from tests import stackside
from tests.stackside import SecondStack, StackSide, django_on


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kill-rounds",
        type=int,
        default=1,
        help="how often the signer's worker is killed at each step (1; twenty take a quarter of an hour)",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    # xdist's workers use the stack of the process that started them.
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    try:
        stackside.start()
    except StepFailed as failure:
        stackside.discard(os.getpid(), keep_logs=True)
        pytest.exit(f"The test stack did not start: {failure} (logs: var/failed)", returncode=3)


class OneSecondStack(LoadScopeScheduling):
    """Gives each test to whichever worker is free, but all files that break a stack to the same one, and first.

    One second stack is enough. The mark xdist_group says nothing here: pytest 9.2 keeps a test's name where xdist 3.8
    does not write its group.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BREAKS_A_STACK if breaks_a_stack(self.config.rootpath / nodeid.partition("::")[0]) else nodeid


@cache
def breaks_a_stack(file: Path) -> bool:
    return BREAKS_A_STACK in file.read_text()


BREAKS_A_STACK = "private_stack"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> OneSecondStack:
    return OneSecondStack(config, log)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[FAILED] = exitstatus not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        stackside.discard(os.getpid(), keep_logs=config.stash.get(FAILED, False))


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def stack() -> StackSide:
    """The stack the tests stand on. Its daemons read the database `mailhost`, not the rolled-back test database."""
    return StackSide(json.loads(Path(os.environ[stackside.STATE]).read_text()))


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment, django_db_blocker, stack: StackSide
) -> Iterator[None]:
    """Give this worker an empty database of its own, from the tables that the stack has migrated once."""
    from django.db import connection

    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    # The process id keeps two sessions on one stack apart.
    name = f"test_mailhost_{os.getpid()}_{worker}"
    tables = (stack.home / "tables.sql").read_text()
    options = {key.lower(): value for key, value in stack.database_settings().items() if key != "NAME"}
    panel = MySQLdb.connect(unix_socket=options.pop("host"), autocommit=True, charset="utf8mb4", **options)
    cursor = panel.cursor()
    cursor.execute(f"CREATE DATABASE {name}")
    cursor.execute(f"USE {name}")
    for statement in tables.split(";\n"):
        if statement.strip():
            cursor.execute(statement)
    connection.settings_dict["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connection.close()
    cursor.execute(f"DROP DATABASE {name}")
    panel.close()


@pytest.fixture
def live(request: pytest.FixtureRequest, stack: StackSide, django_db_blocker) -> Iterator[StackSide]:
    """The stack, with Django on the live database that its daemons, web and worker use.

    Nothing is rolled back: a test makes its own tenants and its own domain names.
    """
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        raise pytest.UsageError("A test is either rolled back (db) or seen by the daemons (live), not both.")
    with django_on(stack), django_db_blocker.unblock():
        yield stack


@pytest.fixture(scope="session")
def _second_stack() -> Iterator[SecondStack]:
    second = SecondStack()
    yield second
    second.end()


@pytest.fixture
def private_stack(_second_stack: SecondStack, django_db_blocker) -> Iterator[SecondStack]:
    """A whole second stack whose services may be stopped, with Django on its live database.

    What a test leaves stopped is started again for the next one.
    """
    with django_on(_second_stack), django_db_blocker.unblock():
        yield _second_stack
    _second_stack.mend()
