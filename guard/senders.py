"""Which logins may use an address: Postfix's question `senders` (mailboxes/lookups.py), asked as Postfix asks it."""

from guard.database import Asker, Database
from mailboxes import lookups

# As in main.cf: Postfix asks for anna+news@ and then for anna@.
RECIPIENT_DELIMITER = "+"
QUESTION = lookups.named("senders")


class Senders:
    """Answers from the database for each message; nothing is remembered, so a right that is withdrawn ends at once."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def may_use(self, login: str, address: str) -> bool:
        """Whether this login may speak as this address (lower case, A-label). Raises DatabaseAway."""
        return login.lower() in await self.database.ask(lambda asker: logins(asker, address))


def logins(asker: Asker, address: str) -> frozenset[str]:
    """Return the logins of the address or, where it has none, of the address without its +extension.

    Raises DatabaseAway.
    """
    local, _, domain = address.rpartition("@")
    plain, delimiter, _ = local.partition(RECIPIENT_DELIMITER)
    for asked in (local, plain) if delimiter and plain else (local,):
        if found := asker.rows(QUESTION, local=asked, domain=domain):
            return frozenset(login.lower() for (login,) in found)
    return frozenset()
