"""The guard's connection to Redis, over which a count is sent before its answer is needed."""

import secrets
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from redis import Connection, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from tenants import messages
from tenants.messages import Sender

TIMEOUT_SECONDS = 0.5


class Count:
    """One message to so many recipients, counted for its senders at that time."""

    def __init__(self, now: datetime, recipients: int, senders: Sequence[Sender]) -> None:
        self.now = now
        self.recipients = recipients
        self.senders = senders
        # What COUNT was given, since the hour may have changed before it is taken back.
        self.keys: list[str] = []
        self.is_sent = False
        self.answer: list[int] | None = None


class Counter:
    """Counts messages in Redis (`tenants.messages`) over one connection, which is made anew when it breaks.

    Answers come in the order of what was sent. Whoever finds the connection broken finds it so for all that wait.
    """

    def __init__(self) -> None:
        # There is one connection, which answers in a fifth of a millisecond.
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        # Whose answers are still to be read; None where nobody waits for it.
        self._sent: deque[Count | None] = deque()
        # A Redis that was started anew has forgotten what it was told by name.
        self._is_known = True
        self._keys: list[str] = []
        self._keys_hour = -1.0

    def send_ahead(self, count: Count) -> None:
        """Send a count and go on without its answer. Does nothing where that could take waiting."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            if self._connection:
                self._send(count)
        except (RedisError, OSError):
            self._give_up()
        finally:
            self._turn.release()

    def answer_to(self, count: Count) -> list[int]:
        """Return what COUNT answers, which is sent now if it was not. Raises RedisError, OSError."""
        with self._turn:
            was_kept = self._connection is not None
            try:
                return self._answer(count)
            except ConnectionBroken:
                # A connection that was kept may have died unseen.
                if not was_kept:
                    raise
            return self._answer(count)

    def take_back(self, count: Count) -> None:
        """Count a message no more that was sent ahead, because it does not pass. Raises RedisError, OSError."""
        with self._turn:
            if not count.is_sent:
                return
            try:
                while count.is_sent and count.answer is None:
                    self._read_one()
                if count.answer == []:
                    self._ask(messages.TAKE_BACK, count.keys, [count.recipients, *messages.ids(count.senders)])
                    self._sent.append(None)
            except (RedisError, OSError):
                self._give_up()
                raise
            count.is_sent = False

    def _answer(self, count: Count) -> list[int]:
        try:
            while count.answer is None:
                if not count.is_sent:
                    self._send(count)
                self._read_one()
        except (RedisError, OSError):
            self._give_up()
            raise
        return count.answer

    def _send(self, count: Count) -> None:
        count.keys = self._keys_at(count.now)
        given = messages.arguments(count.recipients, count.senders, secrets.token_hex(8))
        self._ask(messages.COUNT, count.keys, given, sha=messages.COUNT_SHA if self._is_known else "")
        self._sent.append(count)
        count.is_sent = True

    def _ask(self, script: str, keys: list[str], given: list[str | int], *, sha: str = "") -> None:
        """Send a script, by its name if there is one: a client's ways around that cost twice as much."""
        if self._connection is None:
            self._connection = connect()
        command = ("EVALSHA", sha) if sha else ("EVAL", script)
        self._connection.send_command(*command, len(keys), *keys, *given)

    def _read_one(self) -> None:
        """Read the next answer. What Redis did not know by its name is to be sent again."""
        try:
            answer = self._connection.read_response()
        except NoScriptError:
            answer = None
        # Not before: who gives up must find it among those that wait.
        count = self._sent.popleft()
        if count:
            count.answer, count.is_sent = answer, answer is not None
            self._is_known = count.is_sent

    def _give_up(self) -> None:
        """Leave the connection, and whatever was to be read from it: who still needs an answer asks again."""
        connection, self._connection = self._connection, None
        for count in filter(None, self._sent):
            count.is_sent = False
        self._sent.clear()
        if connection:
            connection.disconnect()

    def _keys_at(self, now: datetime) -> list[str]:
        """Return the names of what is counted, which change by the hour."""
        hour = now.timestamp() // messages.HOUR_SECONDS
        if hour != self._keys_hour:
            self._keys, self._keys_hour = messages.keys(now), hour
        return self._keys


def connect() -> Connection:
    """Return a connection, which connects when it is first used.

    It is kept: a pool would look each time whether it still lives. An answer that does not come is not waited for
    twice.
    """
    never = Retry(NoBackoff(), 0)
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return Redis.from_url(settings.REDIS_URL, retry=never, **timeouts).connection_pool.make_connection()
