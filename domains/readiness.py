"""What a domain can do today, in words: is it owned, does it receive, does it send?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from domains.models import Domain

RECEIVING = frozenset({"mx"})
KEY = "dkim"
SENDING = frozenset({"spf", KEY, "dmarc"})
REQUIRED = "required"
RECORD_IS_RIGHT = "ok"
RECORD_IS_WRONG = frozenset({"missing", "mismatch"})
# Reads a list's records into `domain.records`. Into their manager they would cost a query in scope for each domain,
# which Django writes and never asks.
RECORDS = Prefetch("dns_records", to_attr="records")


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
        about = ((_("Ownership"), self.owned), (_("Receiving"), self.receives), (_("Sending"), self.sends))
        return [
            state
            if state.tone == "ok"
            else State(state.tone, _("%(about)s: %(word)s") % {"about": name, "word": state.word})
            for name, state in about
        ]

    @property
    def faults(self) -> list[State]:
        """What somebody could mend now; what is switched off, or waits for another step, is none."""
        return [state for state in self.said if state.tone not in {"ok", "off"}]


def readiness(domain: Domain, records: Iterable[Any]) -> Readiness:
    """Judge `domain` by its proof, its switches and the required ones of its DNS records (purpose, status)."""
    if not domain.has_proof:
        return Readiness(State("waiting", _("Not proven")), State("off", _("Not yet")), State("off", _("Not yet")))
    owned = State("ok", _("Owned"))
    if not domain.is_enabled:
        return Readiness(owned, State("off", _("Switched off")), State("off", _("Switched off")))
    if not domain.is_verified:
        return Readiness(owned, State("off", _("Suspended")), State("off", _("Suspended")))
    required = [record for record in records if record.necessity == REQUIRED]
    sends = _judge([record for record in required if record.purpose in SENDING], _("Sends"))
    if sends.tone != "problem" and not any(record.purpose == KEY for record in required):
        # Until the key is made its record is not asked for, and mail leaves unsigned.
        sends = State("waiting", _("No key yet"))
    return Readiness(
        owned, _judge([record for record in required if record.purpose in RECEIVING], _("Receives")), sends
    )


def _judge(records: list[Any], word: str) -> State:
    if any(record.status in RECORD_IS_WRONG for record in records):
        return State("problem", _("DNS incomplete"))
    if records and all(record.status == RECORD_IS_RIGHT for record in records):
        return State("ok", word)
    return State("waiting", _("Not checked"))
