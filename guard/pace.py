"""How fast a tenant sends: every submitted message is counted, and put off where it would exceed a plan's limit.

A limit holds for its holder with everybody below, so the message counts for the mailbox's tenant and for each one
above. Counted is in Redis, with the limits in one step (`tenants.messages`). While Redis is away nothing is counted
and mail passes; the log says so.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from django.conf import settings
from redis import Connection, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from guard.database import Asker
from mailboxes import lookups
from tenants import messages
from tenants.limits import chain_of
from tenants.messages import Reached, Sender

log = structlog.get_logger(__name__)

# For whom a login counts, and up to where, is asked again after so long: a smaller plan is felt as late.
FRESH_SECONDS = 10
MOST_KEPT = 10_000
TIMEOUT_SECONDS = 0.5
# Redis is away: how long nobody waits for it again.
PAUSE_SECONDS = 5


class TooManyMessages(Exception):
    """A limit would be exceeded, so the message has to come again later."""

    def __init__(self, reached: Reached) -> None:
        super().__init__(str(reached))
        self.reached = reached


class Pace:
    """Counts what each login sends, and holds it to the limits of its tenant and of those above."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Sequence[Sender]]] = {}
        self._paused_until = 0.0
        self._connection: Connection | None = None
        # There is one connection, which answers in a fifth of a millisecond.
        self._turn = threading.Lock()
        # The names of what is counted change by the hour.
        self._keys: list[str] = []
        self._keys_hour = -1.0

    def count(self, asker: Asker, login: str, recipients: int) -> None:
        """Count one message of this login to so many recipients. Raises TooManyMessages, DatabaseAway."""
        senders = self._senders(asker, login.lower())
        if not senders or time.monotonic() < self._paused_until:
            return
        now = datetime.now(UTC)
        given = messages.arguments(recipients, senders, secrets.token_hex(8))
        try:
            with self._turn:
                answer = self._counted(now, given)
        except (RedisError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("messages_not_counted", error=type(error).__name__, seconds=PAUSE_SECONDS)
            return
        if reached := messages.reached(answer, recipients, senders, now):
            raise TooManyMessages(reached)

    def _counted(self, now: datetime, given: list[str | int]) -> list[int]:
        """Return what COUNT answers. A connection that was found broken is made anew once."""
        hour = now.timestamp() // messages.HOUR_SECONDS
        if hour != self._keys_hour:
            self._keys, self._keys_hour = messages.keys(now), hour
        if self._connection is None:
            self._connection = connect()
            return self._run_script(self._connection, given)
        try:
            return self._run_script(self._connection, given)
        except ConnectionBroken:
            return self._run_script(self._connection, given)

    def _run_script(self, connection: Connection, given: list[str | int]) -> list[int]:
        """Run COUNT; a Redis that was started anew has forgotten it. A client's ways around it cost twice as much."""
        asked = (len(self._keys), *self._keys, *given)
        try:
            connection.send_command("EVALSHA", messages.COUNT_SHA, *asked)
            return connection.read_response()
        except NoScriptError:
            connection.send_command("EVAL", messages.COUNT, *asked)
            return connection.read_response()

    def _senders(self, asker: Asker, login: str) -> Sequence[Sender]:
        """Return for whom a message of this login counts, its tenant first; nobody for a mailbox that is gone."""
        asked_at, found = self._kept.get(login, (0.0, ()))
        if found and time.monotonic() - asked_at < FRESH_SECONDS:
            return found
        found = senders_of(asker, login)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[login] = (time.monotonic(), found)
        return found


def senders_of(asker: Asker, login: str) -> Sequence[Sender]:
    """Ask for whom a message of this login counts. Raises DatabaseAway."""
    local, _, domain = login.rpartition("@")
    found = asker.rows(lookups.named("sending"), local=local, domain=domain)
    if not found:
        return ()
    chain = chain_of(found[0][0])
    rows = asker.rows(lookups.named("pace"), tenants=",".join(map(str, chain)))
    limits = {pk: Sender(pk, per_hour, per_day) for pk, per_hour, per_day in rows}
    return [limits.get(pk) or Sender(pk) for pk in reversed(chain)]


def connect() -> Connection:
    """Return a connection, which connects when it is first used and again after it broke.

    It is kept: a pool would look each time whether it still lives. An answer that does not come is not waited for
    twice.
    """
    never = Retry(NoBackoff(), 0)
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return Redis.from_url(settings.REDIS_URL, retry=never, **timeouts).connection_pool.make_connection()
