"""How a path names a row: by its opaque id (`dom_` and 20 characters) or by its natural key."""

import re
from collections.abc import Callable
from typing import Any

from django.db import models

from mailhost.errors import Refused
from mailhost.fields import ALPHABET, UID_LENGTH

# The columns are ASCII: MariaDB answers an error, not "no row", when it is asked for other characters.
UID = re.compile(f"[{ALPHABET}]{{{UID_LENGTH}}}")


def public_id(prefix: str, row: models.Model | None) -> str | None:
    """Return the id that stands in answers, or None without a row."""
    return f"{prefix}_{row.uid}" if row is not None else None  # type: ignore[attr-defined]


def is_id(prefix: str, reference: str) -> bool:
    """Whether a reference has the form of an opaque id, so that nothing can be made under it as a name."""
    kind, _, uid = reference.partition("_")
    return kind == prefix and bool(UID.fullmatch(uid))


def find(
    rows: models.QuerySet,
    reference: str,
    *,
    prefix: str,
    natural: Callable[[str], dict[str, Any]] | None = None,
) -> Any:
    """Return the row that a path means. `natural` turns a natural key into filters, or raises Refused.

    Raises the model's DoesNotExist for what is unknown, malformed or out of scope, alike: HTTP 404. Among several
    rows with one natural key the first in the order of `rows` is meant.
    """
    if is_id(prefix, reference):
        return rows.get(uid=reference.removeprefix(f"{prefix}_"))
    filters: dict[str, Any] | None = None
    if natural is not None:
        try:
            filters = natural(reference)
        except Refused:
            filters = None
    row = rows.filter(**filters).first() if filters else None
    if row is None:
        raise rows.model.DoesNotExist
    return row
