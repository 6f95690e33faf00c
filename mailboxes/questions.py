"""Asking what a daemon would ask: a question of `mailboxes.lookups`, word for word, on the panel's own connection."""

from typing import Any

from django.db import connection

from mailboxes import lookups


def ask(name: str, **values: str) -> list[tuple[Any, ...]]:
    """Return the rows that the daemon would be answered. `values` are the placeholders', as the daemon has them."""
    connection.ensure_connection()
    escaped = {key: connection.connection.escape_string(value).decode() for key, value in values.items()}
    with connection.cursor() as cursor:
        # Escaped as the daemon escapes it: the text of the question stays that of the daemon's file.
        cursor.execute(lookups.named(name).filled(**escaped))
        return list(cursor.fetchall())
