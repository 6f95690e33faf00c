"""Which logins may use an address: Postfix's question `senders` (mailboxes/lookups.py), asked as Postfix asks it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import MySQLdb

from mailboxes import lookups
from mailconfig.parameters import Parameters

CONNECTIONS = 4
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5
# Postfix waits 60 s for a milter's verdict; with the database away, a message waits its turn no longer than this.
PATIENCE_SECONDS = 15
# As in main.cf: Postfix asks for anna+news@ and then for anna@.
RECIPIENT_DELIMITER = "+"
QUESTION = lookups.named("senders")


class DatabaseAway(Exception):
    """The database gave no answer: nothing is known of the address, so nothing may pass."""


class Senders:
    """Answers from the database, over a few connections that are kept and made anew when they break."""

    def __init__(self, parameters: Parameters) -> None:
        self._arguments = connection_arguments(parameters)
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="senders")

    async def may_use(self, login: str, address: str) -> bool:
        """Whether this login may speak as this address (lower case, A-label). Raises DatabaseAway."""
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self._logins, address)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return login.lower() in await asked
        except TimeoutError:
            raise DatabaseAway(f"no answer within {PATIENCE_SECONDS} s") from None

    def close(self) -> None:
        """Ask nothing more; questions that wait are given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _logins(self, address: str) -> frozenset[str]:
        """Return the logins of the address or, where it has none, of the address without its +extension."""
        local, _, domain = address.rpartition("@")
        plain, delimiter, _ = local.partition(RECIPIENT_DELIMITER)
        locals_asked = (local, plain) if delimiter and plain else (local,)
        for asked in locals_asked:
            if logins := self._asked(asked, domain):
                return logins
        return frozenset()

    def _asked(self, local: str, domain: str) -> frozenset[str]:
        is_fresh = getattr(self._own, "connection", None) is None
        try:
            return self._answer(local, domain)
        except MySQLdb.Error as error:
            # A connection that was kept may have died unseen: MariaDB restarted, or closed it for being idle.
            if is_fresh:
                raise DatabaseAway(str(error)) from error
        try:
            return self._answer(local, domain)
        except MySQLdb.Error as error:
            raise DatabaseAway(str(error)) from error

    def _answer(self, local: str, domain: str) -> frozenset[str]:
        if getattr(self._own, "connection", None) is None:
            self._own.connection = MySQLdb.connect(**self._arguments)
        connection = self._own.connection
        try:
            asked = {"local": local, "domain": domain}
            values = {name: connection.escape_string(text).decode() for name, text in asked.items()}
            connection.query(QUESTION.filled(**values))
            rows = connection.store_result().fetch_row(maxrows=0)
        except MySQLdb.Error:
            self._own.connection = None
            connection.close()
            raise
        return frozenset(login.lower() for (login,) in rows)


def connection_arguments(parameters: Parameters) -> dict[str, object]:
    """Return how Postfix's database user, which may read the sender map and little else, is connected."""
    p = parameters
    where = (
        {"unix_socket": p.database_socket} if p.database_socket else {"host": p.database_host, "port": p.database_port}
    )
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
