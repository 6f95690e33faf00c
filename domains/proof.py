"""What DNS says about a claim to a domain, and the times that follow from it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

# A claim that shows no proof in this time needs a new token.
CHALLENGE_HOLDS = timedelta(days=30)


class Proof(Enum):
    STANDS = "stands"
    # Some of the domain's name servers show it, others do not yet, or no more.
    PARTLY = "partly"
    LACKING = "lacking"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Seen:
    """What was seen of a claim's proof; `detail` is a sentence for who waits for it, or ""."""

    proof: Proof
    detail: str = ""
