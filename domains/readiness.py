"""What a domain can do today, in words: is it owned, does it receive, does it send?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domains.models import Domain

RECEIVING = frozenset({"mx"})
KEY = "dkim"
SENDING = frozenset({"spf", KEY, "dmarc"})
REQUIRED = "required"
RECORD_IS_RIGHT = "ok"
RECORD_IS_WRONG = frozenset({"missing", "mismatch"})


@dataclass(frozen=True)
class State:
    """`tone` is one of ok, waiting, problem, off; `word` says the same in a word or two."""

    tone: str
    word: str


@dataclass(frozen=True)
class Readiness:
    owned: State
    receives: State
    sends: State

    @property
    def is_complete(self) -> bool:
        return all(state.tone == "ok" for state in (self.owned, self.receives, self.sends))

    @property
    def said(self) -> list[State]:
        """The three with what they are about, for where no column says it: "Sending: DNS incomplete"."""
        about = (("Ownership", self.owned), ("Receiving", self.receives), ("Sending", self.sends))
        return [
            state if state.tone == "ok" else State(state.tone, f"{name}: {state.word.lower().replace('dns', 'DNS')}")
            for name, state in about
        ]

    @property
    def faults(self) -> list[State]:
        """What somebody could mend now; what is switched off, or waits for another step, is none."""
        return [state for state in self.said if state.tone not in {"ok", "off"}]


def readiness(domain: Domain, records: Iterable[Any]) -> Readiness:
    """Judge `domain` by its proof, its switches and the required ones of its DNS records (purpose, status)."""
    if not domain.has_proof:
        return Readiness(State("waiting", "Not proven"), State("off", "Not yet"), State("off", "Not yet"))
    owned = State("ok", "Owned")
    if not domain.is_enabled:
        return Readiness(owned, State("off", "Switched off"), State("off", "Switched off"))
    if not domain.is_verified:
        return Readiness(owned, State("off", "Suspended"), State("off", "Suspended"))
    required = [record for record in records if record.necessity == REQUIRED]
    sends = _judge([record for record in required if record.purpose in SENDING], "Sends")
    if sends.tone != "problem" and not any(record.purpose == KEY for record in required):
        # Until the key is made its record is not asked for, and mail leaves unsigned.
        sends = State("waiting", "No key yet")
    return Readiness(owned, _judge([record for record in required if record.purpose in RECEIVING], "Receives"), sends)


def _judge(records: list[Any], word: str) -> State:
    if any(record.status in RECORD_IS_WRONG for record in records):
        return State("problem", "DNS incomplete")
    if records and all(record.status == RECORD_IS_RIGHT for record in records):
        return State("ok", word)
    return State("waiting", "Not checked")
