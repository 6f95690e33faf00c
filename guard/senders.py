"""Which logins may use an address: Postfix's question `senders` (mailboxes/lookups.py), asked as Postfix asks it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import MySQLdb

from mailboxes import lookups
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
# As in main.cf: Postfix asks for anna+news@ and then for anna@.
RECIPIENT_DELIMITER = "+"
QUESTION = lookups.named("senders")


class DatabaseAway(Exception):
    """The database gave no answer: nothing is known of the address, so nothing may pass."""


class Asker:
    """One connection to the database, kept, and made anew when it breaks."""

    def __init__(self, arguments: dict[str, object]) -> None:
        self._arguments = arguments
        self._connection: MySQLdb.Connection | None = None

    def logins(self, address: str) -> frozenset[str]:
        """Return the logins of the address or, where it has none, of the address without its +extension.

        Raises DatabaseAway.
        """
        local, _, domain = address.rpartition("@")
        plain, delimiter, _ = local.partition(RECIPIENT_DELIMITER)
        for asked in (local, plain) if delimiter and plain else (local,):
            if found := self._asked(asked, domain):
                return found
        return frozenset()

    def _asked(self, local: str, domain: str) -> frozenset[str]:
        was_kept = self._connection is not None
        try:
            return self._answer(local, domain)
        except MySQLdb.Error as error:
            # A connection that was kept may have died unseen: MariaDB restarted, or closed it for being idle.
            if not was_kept:
                raise DatabaseAway(str(error)) from error
        try:
            return self._answer(local, domain)
        except MySQLdb.Error as error:
            raise DatabaseAway(str(error)) from error

    def _answer(self, local: str, domain: str) -> frozenset[str]:
        connection = self._connection or MySQLdb.connect(**self._arguments)
        try:
            asked = {"local": local, "domain": domain}
            values = {name: connection.escape_string(text).decode() for name, text in asked.items()}
            connection.query(QUESTION.filled(**values))
            rows = connection.store_result().fetch_row(maxrows=0)
        except MySQLdb.Error:
            self._connection = None
            connection.close()
            raise
        self._connection = connection
        return frozenset(login.lower() for (login,) in rows)


class Senders:
    """Answers from the database: directly while it is quick, in threads of their own while it is not."""

    def __init__(self, parameters: Parameters) -> None:
        arguments = connection_arguments(parameters)
        quick = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), DIRECT_SECONDS)
        self._direct = Asker(arguments | quick)
        self._direct_again_at = 0.0
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(
            THREADS,
            thread_name_prefix="senders",
            initializer=lambda: setattr(self._own, "asker", Asker(arguments)),
        )

    async def may_use(self, login: str, address: str) -> bool:
        """Whether this login may speak as this address (lower case, A-label). Raises DatabaseAway."""
        logins = self._logins_directly(address)
        if logins is None:
            logins = await self._logins_aside(address)
        return login.lower() in logins

    def close(self) -> None:
        """Ask nothing more; questions that wait are given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _logins_directly(self, address: str) -> frozenset[str] | None:
        """Return the logins, or None when the database is not to be asked this way. A thread costs twice as much."""
        started = time.monotonic()
        if started < self._direct_again_at:
            return None
        logins = None
        try:
            logins = self._direct.logins(address)
        except DatabaseAway:
            self._direct_again_at = time.monotonic() + ASIDE_SECONDS
        if time.monotonic() - started > SLOW_SECONDS:
            self._direct_again_at = time.monotonic() + ASIDE_SECONDS
        return logins

    async def _logins_aside(self, address: str) -> frozenset[str]:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._own.asker.logins(address))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asked
        except TimeoutError:
            raise DatabaseAway(f"no answer within {PATIENCE_SECONDS} s") from None


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
