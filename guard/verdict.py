"""What becomes of one message: it passes with our verdict in its header, or it is refused, for now or for good."""

import structlog
from kilter.protocol.core import FilterMessage
from kilter.protocol.messages import ChangeHeader, Continue, InsertHeader, ReplyCode

from guard import results
from guard.database import DatabaseAway
from guard.pace import Pace, TooManyMessages
from guard.rule import compared_name, spoken_addresses
from guard.senders import Senders
from mailhost.errors import Refused

log = structlog.get_logger(__name__)

# A message with more of the headers in question is refused: each one that is taken out costs Postfix a search.
MAX_KEPT = 100
# The longest reply to a client, and the longest change of a header that is ever sent, with its frame.
MAX_REPLY = 480
MAX_CHANGE = 400
RESULTS = "Authentication-Results"
TRY_AGAIN = "451 4.3.0 The sender's address cannot be checked just now; try again later"


class Message:
    """What is known of the message under way: its macros, how many recipients it has, its originators, and the places
    of forged verdicts."""

    def __init__(self, macros: dict[str, str] | None = None) -> None:
        self.macros = macros or {}
        self.recipients = 0
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

    def __init__(self, hostname: str, senders: Senders, pace: Pace) -> None:
        self.hostname = hostname
        self.senders = senders
        self.pace = pace

    def inbound_verdict(self, message: Message) -> list[FilterMessage]:
        """Return the verdict on a message of somebody who did not sign in: it passes without forged verdicts."""
        if message.is_too_long:
            return [_reply("550 5.7.1 The message has too many From, Sender or Authentication-Results headers.")]
        return [*_without_forged(message), Continue()]

    async def submission_verdict(self, message: Message) -> list[FilterMessage]:
        """Return the verdict on a message of somebody who signed in. Whatever goes wrong, it does not pass."""
        told = {"queue_id": message.macros.get("i", ""), "login": message.login}
        try:
            await self._check(message)
            # Last, so that what is refused is not counted.
            await self.pace.count(message.login, message.recipients)
        except Refused as refused:
            log.info("refused", code=refused.code, **told)
            return [_reply(f"550 5.7.1 {refused.message}")]
        except TooManyMessages as too_many:
            log.info("put_off", limit=too_many.reached.name, most=too_many.reached.most, **told)
            return [_reply(f"450 4.7.1 {too_many}")]
        except DatabaseAway as away:
            log.warning("the database is away", why=str(away), **told)
            return [_reply(TRY_AGAIN)]
        except Exception:
            log.exception("a message could not be judged", **told)
            return [_reply(TRY_AGAIN)]
        ours = InsertHeader(0, RESULTS, results.submission_results(self.hostname))
        return [*_without_forged(message), ours, Continue()]

    def close(self) -> None:
        """Ask nothing more."""
        self.senders.database.close()

    async def _check(self, message: Message) -> None:
        """Raise Refused unless every address that the message speaks for is the login's."""
        if message.is_too_long:
            raise Refused("too_long", "", "The message has too many From, Sender or Authentication-Results headers.")
        if not message.login:
            raise Refused("no_login", "", "The server does not know who is signed in.")
        for address in spoken_addresses(message.originators):
            if not await self.senders.may_use(message.login, address):
                raise Refused(
                    "not_yours",
                    "From",
                    f"You are signed in as {message.login}, which may not send as {address}."
                    " Choose an address of your own, or ask for an alias.",
                )


def _without_forged(message: Message) -> list[FilterMessage]:
    # The last one first: removing a header moves the places of those that follow.
    return [ChangeHeader(place, RESULTS, b"") for place in reversed(message.forged_results)]


def _reply(text: str) -> ReplyCode:
    """Return an SMTP reply. Only ASCII may stand in it, and Postfix reads a percent sign twice (libmilter's way)."""
    plain = "".join(sign if " " <= sign <= "~" else "?" for sign in text)
    return ReplyCode(plain[:MAX_REPLY].replace("%", "%%").encode() + b"\0")
