"""What of a row stands in the audit record: its columns before a change and after it, without secrets."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models

MASK = "(secret)"
# Words in the name of a column, or of an operation's argument, that holds what nobody may read again.
SECRET_WORDS = ("password", "secret", "digest", "token", "private_key", "recovery_code")
# Written by the ORM with every change, so they say nothing of it.
CLOCKS = frozenset({"created_at", "updated_at"})


class Recorded(models.Model):
    """A row that remembers how it was read, so that an operation's record can say what it changed.

    `secret` columns are masked: the record says that they changed, not what they hold. `unrecorded` columns are left
    out: they follow from others, or change without anybody's act.
    """

    secret: ClassVar[frozenset[str]] = frozenset()
    unrecorded: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Sequence[str], values: Sequence[Any]) -> "Recorded":
        row = super().from_db(db, field_names, values)
        # `refresh_from_db` copies columns, so this stays what the operation found under its lock.
        row.as_read = (field_names, values)
        return row


class Group:
    """What people mean as one thing and tables hold as several rows: an alias with its targets."""

    rows: tuple[models.Model, ...]


def looks_secret(name: str) -> bool:
    return any(word in name for word in SECRET_WORDS)
