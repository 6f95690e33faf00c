"""How fast a tenant sends: every submitted message is counted, and put off where it would exceed a plan's limit.

A limit holds for its holder with everybody below, so the message counts for the mailbox's tenant and for each one
above. Counted is in Redis, with the limits in one step (`tenants.messages`). That is begun when the recipients are
known, so that the answer is there when the text has come; of a message that then does not pass it is taken back. While
Redis is away nothing is counted and mail passes; the log says so.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from guard.counter import Count, Counter
from guard.database import Asker
from mailboxes import lookups
from tenants import messages
from tenants.limits import chain_of
from tenants.messages import Reached, Sender

log = structlog.get_logger(__name__)

# For whom a login counts, and up to where, is asked again after so long: a smaller plan is felt as late.
FRESH_SECONDS = 10
MOST_KEPT = 10_000
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
        self._counter = Counter()

    def begin(self, login: str, recipients: int) -> Count | None:
        """Begin to count a message whose text is still to come; None where that would take a question first."""
        if self._is_paused or not (senders := self._remembered(login.lower())):
            return None
        count = Count(datetime.now(UTC), recipients, senders)
        self._counter.send_ahead(count)
        return count

    def count(self, asker: Asker, login: str, recipients: int, begun: Count | None) -> None:
        """Count one message of this login to so many recipients. Raises TooManyMessages, DatabaseAway."""
        count = begun or Count(datetime.now(UTC), recipients, self._senders(asker, login.lower()))
        if not count.senders or self._is_paused:
            return
        try:
            answer = self._counter.answer_to(count)
        except (RedisError, OSError) as error:
            self._pause(error)
            return
        if reached := messages.reached(answer, recipients, count.senders, count.now):
            raise TooManyMessages(reached)

    def take_back(self, begun: Count) -> None:
        """Count a message no more, because it does not pass."""
        try:
            self._counter.take_back(begun)
        except (RedisError, OSError) as error:
            self._pause(error)

    @property
    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def _pause(self, error: Exception) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning("messages_not_counted", error=type(error).__name__, seconds=PAUSE_SECONDS)

    def _remembered(self, login: str) -> Sequence[Sender]:
        asked_at, found = self._kept.get(login, (0.0, ()))
        return found if time.monotonic() - asked_at < FRESH_SECONDS else ()

    def _senders(self, asker: Asker, login: str) -> Sequence[Sender]:
        """Return for whom a message of this login counts, its tenant first; nobody for a mailbox that is gone."""
        if found := self._remembered(login):
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
