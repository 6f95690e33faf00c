"""What is told of aliases. One alias is several rows, and an act on some of them changes the one that people mean."""

from collections.abc import Sequence

from mailboxes.models import Alias
from webhooks.events import ALIAS_CREATED, ALIAS_DELETED, ALIAS_UPDATED

Key = tuple[int, str]


def told_of(rows: Sequence[Alias]) -> dict[str, list[Alias]]:
    """Return which aliases were made, changed or deleted by an act on these rows, by event type: each once, as its
    oldest row, by whose id it goes. Where all were made anew nothing is asked."""
    given = _oldest(rows)
    made = {key for key, row in given.items() if getattr(row, "is_first", False)}
    left = _oldest(_standing(given.keys() - made))
    return {
        ALIAS_CREATED: [row for key, row in given.items() if key in made],
        ALIAS_UPDATED: [left[key] for key in given if key in left],
        ALIAS_DELETED: [row for key, row in given.items() if key not in made and key not in left],
    }


def name_of(row: Alias) -> str:
    """Return the source as the API writes it: a catch-all's begins with a star."""
    return f"*{row.alias_email}" if row.is_catch_all else row.alias_email


def _oldest(rows: Sequence[Alias]) -> dict[Key, Alias]:
    found: dict[Key, Alias] = {}
    for row in sorted(rows, key=lambda row: row.pk):
        found.setdefault((row.domain_id, row.alias_email), row)
    return found


def _standing(keys: set[Key]) -> list[Alias]:
    """Return the rows of these aliases as they are now."""
    if not keys:
        return []
    sources = {source for _, source in keys}
    rows = Alias.objects.filter(alias_email__in=sources, own_mailbox=None, is_denial=False)
    return [row for row in rows if (row.domain_id, row.alias_email) in keys]
