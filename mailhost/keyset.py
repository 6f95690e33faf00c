"""Pages by position: what comes after a row in an order, never after a count of rows. For pages and API alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q


def beyond(order: Sequence[str], position: Sequence[Any]) -> Q:
    """Return the rows that come after `position` in this order ("-" for descending), which ends in something unique.

    The first column's bound stands alone as well: MariaDB makes an index range of it, not of the alternatives.
    """
    field, *fields = order
    value, *values = position
    column, side = (field[1:], "lt") if field.startswith("-") else (field, "gt")
    later = Q(**{f"{column}__{side}": value})
    if not fields:
        return later
    return Q(**{f"{column}__{side}e": value}) & (later | Q(**{column: value}) & beyond(fields, values))


def reversed_order(order: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that put the same rows the other way round."""
    return tuple(field[1:] if field.startswith("-") else f"-{field}" for field in order)


def position_of(row: Any, order: Sequence[str]) -> list[Any]:
    """Return where a row, or the dictionary of its values, stands in this order."""
    return [_value(row, field.lstrip("-")) for field in order]


def _value(row: Any, field: str) -> Any:
    if isinstance(row, Mapping):
        return row[field]
    for step in field.split("__"):
        row = getattr(row, step)
    return row
