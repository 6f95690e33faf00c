"""What becomes of one message: it passes with our verdict in its header, or it is refused, for now or for good."""

import structlog
from kilter.protocol.messages import ChangeHeader, Continue, InsertHeader

from guard import results
from guard.answers import packed, reply
from guard.counter import Count
from guard.database import Asker, Database, DatabaseAway
from guard.pace import Pace, TooManyMessages
from guard.rule import compared_name, spoken_addresses
from guard.senders import Foreseen, foresee, may_use
from mailhost.errors import Refused

log = structlog.get_logger(__name__)

# A message with more of the headers in question is refused: each one that is taken out costs Postfix a search.
MAX_KEPT = 100
RESULTS = "Authentication-Results"
TRY_AGAIN = "451 4.3.0 The sender's address cannot be checked just now; try again later"


class Message:
    """What is known of the message under way: its macros, how many recipients it has, its originators, and the places
    of forged verdicts."""

    def __init__(self, macros: dict[str, str] | None = None) -> None:
        self.macros = macros or {}
        self.recipients = 0
        self.foreseen: Foreseen | None = None
        self.begun: Count | None = None
        self.originators: list[tuple[bytes, bytes]] = []
        self.results_seen = 0
        self.forged_results: list[int] = []

    @property
    def is_submission(self) -> bool:
        """Whether somebody signed in. OpenDKIM goes by {auth_type}, so either macro counts."""
        return bool(self.macros.get("{auth_type}") or self.macros.get("{auth_authen}"))

    @property
    def login(self) -> str:
        return self.macros.get("{auth_authen}", "")

    @property
    def is_too_long(self) -> bool:
        return len(self.originators) + len(self.forged_results) > MAX_KEPT

    def keep(self, name: bytes, value: bytes, hostname: str) -> None:
        """Keep an originator's value, or the place of a verdict that claims to be ours."""
        if self.is_too_long:
            return
        if compared_name(name) != results.HEADER:
            self.originators.append((name, value))
            return
        self.results_seen += 1
        if results.claims_to_be(value, hostname):
            self.forged_results.append(self.results_seen)


class Judge:
    """Gives each message its verdict: changes of its header and Continue, or one refusal."""

    def __init__(self, hostname: str, database: Database, pace: Pace) -> None:
        self.hostname = hostname
        self.database = database
        self.pace = pace
        # Most answers are these two, so they are made once.
        self._ours = InsertHeader(0, RESULTS, results.submission_results(hostname))
        self._passes = packed(self._ours, Continue())
        self._passes_inbound = packed(Continue())

    def foresee(self, message: Message, envelope_sender: bytes) -> None:
        """Begin to ask what the verdict on a submitted message will need, while its text is on the way."""
        if asker := self.database.direct:
            message.foreseen = foresee(asker, envelope_sender)

    def begin_to_count(self, message: Message) -> None:
        """Begin to count a submitted message whose recipients are known, while its text is on the way."""
        message.begun = self.pace.begin(message.login, message.recipients)

    def forget(self, message: Message) -> None:
        """Count a message no more that does not pass, or of which nothing more will be heard."""
        if message.begun:
            self.pace.take_back(message.begun)

    def inbound_verdict(self, message: Message) -> bytes:
        """Return the verdict on a message of somebody who did not sign in: it passes without forged verdicts."""
        if message.is_too_long:
            return reply("550 5.7.1 The message has too many From, Sender or Authentication-Results headers.")
        if message.forged_results:
            return packed(*_without_forged(message), Continue())
        return self._passes_inbound

    def verdict_at_once(self, message: Message) -> bytes | None:
        """Return the verdict on a message of somebody who signed in; None when it takes waiting for the database."""
        if not self.database.direct:
            return None
        try:
            return self.database.at_once(lambda asker: self._verdict(asker, message))
        except DatabaseAway:
            return None

    async def verdict(self, message: Message) -> bytes:
        """Return the verdict on a message of somebody who signed in, waiting for the database while it is slow."""
        try:
            return await self.database.aside(lambda asker: self._verdict(asker, message))
        except DatabaseAway as away:
            log.warning("the database is away", why=str(away), **_told(message))
            self.forget(message)
            return reply(TRY_AGAIN)

    def close(self) -> None:
        """Ask nothing more."""
        self.database.close()

    def _verdict(self, asker: Asker, message: Message) -> bytes:
        """Return the verdict. Raises DatabaseAway; whatever else goes wrong, the message does not pass."""
        try:
            self._check(asker, message)
            # Last, so that what is refused is not counted.
            self.pace.count(asker, message.login, message.recipients, message.begun)
        except Refused as refused:
            log.info("refused", code=refused.code, **_told(message))
            self.forget(message)
            return reply(f"550 5.7.1 {refused.message}")
        except TooManyMessages as too_many:
            log.info("put_off", limit=too_many.reached.name, most=too_many.reached.most, **_told(message))
            return reply(f"450 4.7.1 {too_many}")
        except DatabaseAway:
            raise
        except Exception:
            log.exception("a message could not be judged", **_told(message))
            self.forget(message)
            return reply(TRY_AGAIN)
        if message.forged_results:
            return packed(*_without_forged(message), self._ours, Continue())
        return self._passes

    def _check(self, asker: Asker, message: Message) -> None:
        """Raise Refused unless every address that the message speaks for is the login's."""
        if message.is_too_long:
            raise Refused("too_long", "", "The message has too many From, Sender or Authentication-Results headers.")
        if not message.login:
            raise Refused("no_login", "", "The server does not know who is signed in.")
        for address in spoken_addresses(message.originators):
            if not may_use(asker, message.login, address, message.foreseen):
                raise Refused(
                    "not_yours",
                    "From",
                    f"You are signed in as {message.login}, which may not send as {address}."
                    " Choose an address of your own, or ask for an alias.",
                )


def _told(message: Message) -> dict[str, str]:
    return {"queue_id": message.macros.get("i", ""), "login": message.login}


def _without_forged(message: Message) -> list[ChangeHeader]:
    # The last one first: removing a header moves the places of those that follow.
    return [ChangeHeader(place, RESULTS, b"") for place in reversed(message.forged_results)]
