"""Which logins may use an address: Postfix's question `senders` (mailboxes/lookups.py), asked as Postfix asks it.

It is asked for each message and nothing is remembered, so a right that is withdrawn ends at once. Most people write
as the sender of the envelope, which is known before the text of the message: so that is asked about while the text
comes, and the answer waits.
"""

import time
from dataclasses import dataclass

from guard.database import Ahead, Asker
from mailboxes import lookups

# As in main.cf: Postfix asks for anna+news@ and then for anna@.
RECIPIENT_DELIMITER = "+"
QUESTION = lookups.named("senders")
# A text that comes slower than this is asked about again at its end.
FRESH_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The question about an address that the message will probably speak for."""

    address: str
    ahead: Ahead


def foresee(asker: Asker, envelope_sender: bytes) -> Foreseen | None:
    """Ask about the sender of the envelope, as MAIL FROM names it."""
    address = envelope_sender.decode("ascii", "replace").strip("<>").lower()
    local, _, domain = address.rpartition("@")
    ahead = asker.ask_ahead(QUESTION, local=local, domain=domain) if local else None
    return Foreseen(address, ahead) if ahead else None


def may_use(asker: Asker, login: str, address: str, foreseen: Foreseen | None) -> bool:
    """Whether this login may speak as this address (lower case, A-label). Raises DatabaseAway."""
    return login.lower() in logins(asker, address, foreseen)


def logins(asker: Asker, address: str, foreseen: Foreseen | None = None) -> frozenset[str]:
    """Return the logins of the address or, where it has none, of the address without its +extension.

    Raises DatabaseAway.
    """
    local, _, domain = address.rpartition("@")
    plain, delimiter, _ = local.partition(RECIPIENT_DELIMITER)
    found = None
    if foreseen and foreseen.address == address and time.monotonic() - foreseen.ahead.asked_at < FRESH_SECONDS:
        found = asker.answer_to(foreseen.ahead)
    if found is None:
        found = asker.rows(QUESTION, local=local, domain=domain)
    if not found and delimiter and plain:
        found = asker.rows(QUESTION, local=plain, domain=domain)
    return frozenset(login.lower() for (login,) in found)
