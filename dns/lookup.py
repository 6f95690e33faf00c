"""Questions to DNS: the only file that speaks to dnspython.

Every answer says which of four things happened, because a server that is silent must never look like a record
that is gone.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from dns.exception import DNSException, Timeout
from dns.nameserver import Do53Nameserver
from dns.records import challenge_name, challenge_value
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, Resolver
from mailhost.errors import Refused

TOTAL_SECONDS = 4.5
SECONDS_PER_TRY = 1.5
PARALLEL = 8
# What of an answer is kept: a hostile zone may hold thousands of values.
MAX_VALUES = 100
MAX_VALUE_LENGTH = 4096
DNS_PORT = 53


class Outcome(Enum):
    FOUND = "found"
    NO_SUCH_NAME = "no_such_name"
    NO_SUCH_RECORD = "no_such_record"
    TEMPORARY_FAILURE = "temporary_failure"


@dataclass(frozen=True)
class Answer:
    """What DNS said. `values`: TXT strings joined, MX as "10 mail.example", sorted; `detail` says what failed."""

    outcome: Outcome
    values: tuple[str, ...] = ()
    detail: str = ""

    @property
    def is_temporary(self) -> bool:
        return self.outcome is Outcome.TEMPORARY_FAILURE


def resolver() -> Resolver:
    """Return a resolver that asks MAILHOST_NAMESERVERS, or the machine's own where none are set."""
    if not settings.MAILHOST_NAMESERVERS:
        asked = Resolver()
    else:
        asked = Resolver(configure=False)
        asked.nameservers = [nameserver(text) for text in settings.MAILHOST_NAMESERVERS]
    asked.timeout = SECONDS_PER_TRY
    asked.lifetime = TOTAL_SECONDS
    return asked


def nameserver(text: str) -> Do53Nameserver:
    address, _, port = text.strip().partition("@")
    return Do53Nameserver(address, int(port or DNS_PORT))


def look_up(name: str, record_type: str) -> Answer:
    """Ask for the records of a name, following CNAMEs. Answers within five seconds and raises nothing."""
    try:
        answer = resolver().resolve(f"{name}.", record_type, search=False)
    except NXDOMAIN:
        return Answer(Outcome.NO_SUCH_NAME)
    except NoAnswer:
        return Answer(Outcome.NO_SUCH_RECORD)
    except Timeout:
        return Answer(Outcome.TEMPORARY_FAILURE, detail="The name servers did not answer in time.")
    except NoNameservers:
        return Answer(Outcome.TEMPORARY_FAILURE, detail="The name servers answered that they failed (SERVFAIL).")
    except (DNSException, OSError) as error:
        return Answer(Outcome.TEMPORARY_FAILURE, detail=f"The answer could not be read ({type(error).__name__}).")
    values = sorted(shown(record, record_type) for record in answer)
    return Answer(Outcome.FOUND, tuple(value[:MAX_VALUE_LENGTH] for value in values[:MAX_VALUES]))


def look_up_all(questions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    """Ask many (name, type) at once, a few in parallel; each answer within five seconds."""
    unique = list(dict.fromkeys(questions))
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        return dict(zip(unique, pool.map(lambda question: look_up(*question), unique), strict=True))


def shown(record, record_type: str) -> str:
    """Return one record as text. TXT strings are joined without a blank between (RFC 7208 3.3)."""
    if record_type == "TXT":
        return printable(b"".join(record.strings).decode("utf-8", "backslashreplace"))
    if record_type == "MX":
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True).lower()}"
    return printable(record.to_text())


def printable(text: str) -> str:
    """Return the text with control characters made visible: a zone's owner may have put anything there."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def has_ownership_proof(domain) -> bool:
    """Say whether DNS shows the domain's challenge. Raises Refused when DNS gave no usable answer."""
    answer = look_up(challenge_name(domain.domain_name), "TXT")
    if answer.is_temporary:
        raise Refused(
            "dns_unavailable",
            "",
            f"DNS gave no answer for {challenge_name(domain.domain_name)}. {answer.detail} Try again in a few minutes.",
        )
    return challenge_value(domain.challenge) in answer.values
