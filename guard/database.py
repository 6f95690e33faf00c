"""What the guard asks the database, as Postfix's user: the questions of mailboxes/lookups.py."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import MySQLdb

from mailboxes.lookups import Lookup
from mailconfig.parameters import Parameters

THREADS = 4
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5
# Asking directly holds up every session, so it is done only while the database answers at once.
DIRECT_SECONDS = 1
SLOW_SECONDS = 0.1
ASIDE_SECONDS = 10
# Postfix waits 60 s for a milter's verdict; with the database away, a message waits its turn no longer than this.
PATIENCE_SECONDS = 15

Row = tuple
T = TypeVar("T")


class DatabaseAway(Exception):
    """The database gave no answer: nothing is known of the address, so nothing may pass."""


class Ahead:
    """A question that was sent before its answer is needed."""

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.rows: tuple[Row, ...] | None = None


class Asker:
    """One connection to the database, kept, and made anew when it breaks."""

    def __init__(self, arguments: dict[str, object]) -> None:
        self._arguments = arguments
        self._connection: MySQLdb.Connection | None = None
        # Whose answer is still to be read from the connection.
        self._ahead: Ahead | None = None

    def rows(self, question: Lookup, **asked: str) -> tuple[Row, ...]:
        """Return the answer to a question. Raises DatabaseAway."""
        self._read_ahead()
        was_kept = self._connection is not None
        try:
            return self._answer(question, asked)
        except MySQLdb.Error as error:
            # A connection that was kept may have died unseen: MariaDB restarted, or closed it for being idle.
            if not was_kept:
                raise DatabaseAway(str(error)) from error
        try:
            return self._answer(question, asked)
        except MySQLdb.Error as error:
            raise DatabaseAway(str(error)) from error

    def ask_ahead(self, question: Lookup, **asked: str) -> Ahead | None:
        """Send a question and go on without its answer; None while there is no connection."""
        self._read_ahead()
        if self._connection is None:
            return None
        try:
            self._connection.send_query(_filled(self._connection, question, asked))
        except MySQLdb.Error:
            self._give_up()
            return None
        self._ahead = Ahead()
        return self._ahead

    def answer_to(self, ahead: Ahead) -> tuple[Row, ...] | None:
        """Return the answer to a question that was sent ahead; None when there is none, so that it is asked again."""
        if self._ahead is ahead:
            self._read_ahead()
        return ahead.rows

    def _read_ahead(self) -> None:
        """Read the answer that is under way: before that the connection takes no other question."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or self._connection is None:
            return
        try:
            self._connection.read_query_result()
            ahead.rows = self._connection.store_result().fetch_row(maxrows=0)
        except MySQLdb.Error:
            self._give_up()

    def _answer(self, question: Lookup, asked: dict[str, str]) -> tuple[Row, ...]:
        if self._connection is None:
            self._connection = MySQLdb.connect(**self._arguments)
        try:
            self._connection.query(_filled(self._connection, question, asked))
            return self._connection.store_result().fetch_row(maxrows=0)
        except MySQLdb.Error:
            self._give_up()
            raise

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


class Database:
    """Answers directly while the database is quick, in threads of their own while it is not."""

    def __init__(self, parameters: Parameters) -> None:
        arguments = connection_arguments(parameters)
        quick = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), DIRECT_SECONDS)
        self._direct = Asker(arguments | quick)
        self._direct_again_at = 0.0
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(
            THREADS,
            thread_name_prefix="database",
            initializer=lambda: setattr(self._own, "asker", Asker(arguments)),
        )

    @property
    def direct(self) -> Asker | None:
        """The connection that may be asked without a thread, which costs twice as much; None while it is slow."""
        return self._direct if time.monotonic() >= self._direct_again_at else None

    def at_once(self, ask: Callable[[Asker], T]) -> T:
        """Return what this asks of the direct connection. Raises DatabaseAway: a thread may wait for longer."""
        started, is_answered = time.monotonic(), False
        try:
            answer = ask(self._direct)
            is_answered = True
        finally:
            if not is_answered or time.monotonic() - started > SLOW_SECONDS:
                self._direct_again_at = time.monotonic() + ASIDE_SECONDS
        return answer

    async def aside(self, ask: Callable[[Asker], T]) -> T:
        """Return what this asks of a connection, in a thread that may wait. Raises DatabaseAway."""
        asking = asyncio.get_running_loop().run_in_executor(self._threads, lambda: ask(self._own.asker))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asking
        except TimeoutError:
            raise DatabaseAway(f"no answer within {PATIENCE_SECONDS} s") from None

    def close(self) -> None:
        """Ask nothing more; questions that wait are given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _filled(connection: MySQLdb.Connection, question: Lookup, asked: dict[str, str]) -> str:
    return question.filled(**{name: connection.escape_string(text).decode() for name, text in asked.items()})


def connection_arguments(parameters: Parameters) -> dict[str, object]:
    """Return how Postfix's database user, which may read the sender map and little else, is connected."""
    p = parameters
    where: dict[str, object] = {"host": p.database_host, "port": p.database_port}
    if p.database_socket:
        where = {"unix_socket": p.database_socket}
    return {
        **where,
        "db": p.database_name,
        "user": p.postfix_db_user,
        "passwd": p.postfix_db_password,
        "charset": "utf8mb4",
        # An open transaction would keep a schema change waiting for hours.
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
    }
