"""What DNS answered, as plain values. A server that is silent must never look like a record that is gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext_noop as _

from mailhost.said import NOTHING, Said


class Outcome(Enum):
    FOUND = "found"
    NO_SUCH_NAME = "no_such_name"
    NO_SUCH_RECORD = "no_such_record"
    SERVER_FAILURE = "server_failure"
    TIMEOUT = "timeout"
    # The resolver does not answer us.
    REFUSED = "refused"
    # The server is named for the zone and does not serve it.
    LAME = "lame"
    UNREADABLE = "unreadable"


DEFINITE = frozenset({Outcome.FOUND, Outcome.NO_SUCH_NAME, Outcome.NO_SUCH_RECORD})
DETAILS = {
    Outcome.SERVER_FAILURE: Said(_("The name servers answered that they failed (SERVFAIL).")),
    Outcome.TIMEOUT: Said(_("The name servers did not answer in time.")),
    Outcome.REFUSED: Said(_("The resolver refused to answer (REFUSED).")),
    Outcome.LAME: Said(_("The name servers do not serve the domain (lame delegation).")),
    Outcome.UNREADABLE: Said(_("The answer could not be read.")),
}


@dataclass(frozen=True)
class Answer:
    """What one server, or the resolvers, said. `values`: TXT strings joined, MX as "10 mail.example", sorted;
    `aliases`: the CNAMEs that were followed; `ttl`: seconds for which the answer may be kept."""

    outcome: Outcome
    values: tuple[str, ...] = ()
    ttl: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def is_temporary(self) -> bool:
        return self.outcome not in DEFINITE

    @property
    def detail(self) -> Said:
        """Return what failed, in a sentence, or ""."""
        return DETAILS.get(self.outcome, NOTHING)


@dataclass(frozen=True)
class Sight:
    """All that was seen of one name and type: each authoritative server's answer, and the resolvers'."""

    recursive: Answer
    by_server: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def is_authoritative(self) -> bool:
        return any(not answer.is_temporary for answer in self.by_server.values())

    @property
    def best(self) -> Answer:
        """Return the answer that counts where the servers agree: an authoritative one before the resolvers'."""
        definite = [answer for answer in self.by_server.values() if not answer.is_temporary]
        if definite:
            return definite[0]
        if not self.recursive.is_temporary or not self.by_server:
            return self.recursive
        return next(iter(self.by_server.values()))
