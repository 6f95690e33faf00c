"""Who calls what the table of routes names, the sets of them to whom a row opens, and the row itself."""

from dataclasses import dataclass, field
from typing import Any

# Without a session or key.
NOBODY = "nobody"
# The owner of Sela, another reseller: may what a reseller may, and none of this is its own.
STRANGER = "stranger"
# The owner of Bolt, a customer of the same reseller.
SIBLING = "sibling"
# The owner of Rita, the reseller above Acme.
PARENT = "parent"
# The owner of Acme itself.
OWNER = "owner"
# Members of Acme who may only read, and who only see what is paid for.
READER, BILLING = "reader", "billing"
# The owner of Acme while it is suspended.
SUSPENDED = "suspended"
# A key of Acme's with every scope but the one that the row needs. Pages know no keys.
UNSCOPED = "unscoped"

CALLERS = (NOBODY, STRANGER, SIBLING, PARENT, OWNER, READER, BILLING, SUSPENDED, UNSCOPED)

# About one thing of Acme's: who may see it, who may change it, and what only whoever is above may do.
SEE = frozenset({PARENT, OWNER, READER})
CHANGE = frozenset({PARENT, OWNER})
ABOVE = frozenset({PARENT})
# About nobody's thing in particular: each sees a list of their own, and adds to their own.
LIST = SEE | {STRANGER, SIBLING}
ADD = CHANGE | {STRANGER, SIBLING}
ADD_TENANT = frozenset({PARENT, STRANGER})
ANYBODY_SIGNED_IN = LIST | {BILLING}
ANY_KEY = ANYBODY_SIGNED_IN | {UNSCOPED}
EVERYBODY = frozenset(CALLERS)
# A session that is no longer good is ended, whatever page was asked for.
SIGN_IN = EVERYBODY - {SUSPENDED}


@dataclass(frozen=True)
class Row:
    """`about` names the things of `cast.THINGS` that the address points at, one for each <parameter>; "=mx" stands
    for mx. `body` is input of the right shape: JSON under api/, else a form. `refers` says which of its members point
    at a thing of `THINGS`. `query` is what a GET must be asked.
    """

    method: str
    route: str
    opens_to: frozenset[str]
    about: str = ""
    body: Any = None
    refers: dict[str, str] = field(default_factory=dict)
    # About the person behind the session, whatever their role.
    is_own: bool = False
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")
