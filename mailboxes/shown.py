"""What answers show of live mailboxes, read without the rest: a row of an answer is no row to change."""

from datetime import datetime
from typing import Any, NamedTuple, Self

from mailboxes.models import Mailbox
from mailhost.prepared import Prepared


class ShownMailbox(NamedTuple):
    """A mailbox with its use and its last sign-in. `keeps_copy`: forwarded mail stays here too."""

    pk: int
    uid: str
    email: str
    display_name: str
    storage_quota: int
    is_enabled: bool
    is_active: bool
    receives_enabled: bool
    sends_enabled: bool
    imap_enabled: bool
    pop3_enabled: bool
    managesieve_enabled: bool
    created_at: datetime
    updated_at: datetime
    keeps_copy: bool
    last_login_at: datetime | None
    used_bytes: int

    @classmethod
    def of_new(cls, mailbox: Mailbox) -> Self:
        """Show a mailbox that was just made: it is empty, keeps what comes, and nobody has signed in."""
        own = [getattr(mailbox, name) for name in OF_MAILBOX]
        return cls(*own, keeps_copy=True, last_login_at=None, used_bytes=0)

    @property
    def domain_name(self) -> str:
        """As it stands in the address: no row of the domain is read for it."""
        return self.email.rpartition("@")[2]


OF_MAILBOX = ShownMailbox._fields[:14]
OF_OTHERS = ("own_row__is_enabled", "last_login__at", "used_bytes")


def _rows(**which: Any):
    return Mailbox.objects.listed().order_by().filter(**which).values_list(*OF_MAILBOX, *OF_OTHERS)


# Of those in scope, by `uid`, `email`, `pk` or `pk__in`, in no order.
shown_mailboxes = Prepared(_rows, ShownMailbox._make, in_order=True)
