"""Mailboxes as a table: what an export writes, an import reads again."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mailboxes.models import Mailbox
from mailhost import sheets

MB = 1024 * 1024


def status_of(mailbox: Mailbox) -> str:
    if not mailbox.is_enabled:
        return "suspended"
    return "active" if mailbox.is_active else "inactive"


COLUMNS: dict[str, Callable[[Mailbox], Any]] = {
    "email": lambda mailbox: mailbox.email,
    "display_name": lambda mailbox: mailbox.display_name,
    "storage_quota_mb": lambda mailbox: mailbox.storage_quota,
    "used_mb": lambda mailbox: round(mailbox.used_bytes / MB, 1),
    "status": status_of,
    "last_sign_in": lambda mailbox: mailbox.last_login.at.isoformat() if hasattr(mailbox, "last_login") else "",
    "created_at": lambda mailbox: mailbox.created_at.isoformat(),
}


def sheet_of(mailboxes: Iterable[Mailbox]) -> Iterator[str]:
    """Yield listed mailboxes as CSV. No password and no hash of one leaves this way."""
    return sheets.as_csv(COLUMNS, ([value(mailbox) for value in COLUMNS.values()] for mailbox in mailboxes))
