"""How a path names a row: by its opaque id (`dom_` and 20 characters) or by its natural key."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import models

from mailhost.errors import Refused
from mailhost.fields import ALPHABET, UID_LENGTH
from mailhost.prepared import Prepared

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
    rows: models.QuerySet | Callable[[], models.QuerySet],
    reference: str,
    *,
    prefix: str,
    natural: Callable[[str], dict[str, Any]] | None = None,
) -> Any:
    """Return the row that a path means.

    `rows` are best a function that returns them, whose query is then written once (`mailhost.prepared`).
    Raises the model's DoesNotExist for what is unknown, malformed or out of scope, alike: HTTP 404. Among several
    rows with one natural key the first in the order of `rows` is meant.
    """
    which = named(reference, prefix=prefix, natural=natural)
    if callable(rows):
        found = _first_of(rows)(**which) if which else []
        row = found[0] if found else None
    else:
        row = rows.filter(**which).first() if which else None
    if row is None:
        raise (rows() if callable(rows) else rows).model.DoesNotExist
    return row


@cache
def _first_of(rows: Callable[[], models.QuerySet]) -> Prepared:
    def first(**which: Any) -> models.QuerySet:
        found = rows().filter(**which)
        return (found if found.ordered else found.order_by("pk"))[:1]

    return Prepared(first)


def named(
    reference: str, *, prefix: str, natural: Callable[[str], dict[str, Any]] | None = None
) -> dict[str, Any] | None:
    """Return the filters that a reference stands for, None for a malformed one. `natural` turns a natural key into
    filters, or raises Refused."""
    if is_id(prefix, reference):
        return {"uid": reference.removeprefix(f"{prefix}_")}
    try:
        return natural(reference) if natural is not None else None
    except Refused:
        return None
