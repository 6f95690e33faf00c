"""Pages by position: what comes after a row in an order, never after a count of rows. For pages and API alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Subquery, Value

# In a row of `Stages`: which of them it is of.
STAGE = "stage"


@dataclass(frozen=True)
class Stages:
    """Rows that are listed one after another: all of `first`, then `others`, each in the list's order. They are
    querysets of values, and no row is in both.

    For lists that show first what an index finds: the others are only looked for where those do not fill the page.
    """

    first: QuerySet
    others: QuerySet
    order: tuple[str, ...] = ()

    def order_by(self, *order: str) -> "Stages":
        return Stages(self.first, self.others, order)

    def count(self) -> int:
        return self.first.count() + self.others.count()

    def wanted(self, position: Sequence[Any] | None, most: int, *, backwards: bool = False) -> QuerySet:
        """One statement, in which the later rows are looked for only where the earlier are too few. It may find more
        than `most`, and those of each stage together."""
        stages = [rows.annotate(**{STAGE: Value(number)}) for number, rows in enumerate((self.first, self.others))]
        earlier, later = (rows.order_by(*self.order) for rows in (reversed(stages) if backwards else stages))
        if position is not None:
            stage, *values = position
            if bool(stage) != backwards:
                return later.filter(beyond(self.order, values))[:most]
            earlier = earlier.filter(beyond(self.order, values))
        # Of its own statement's beginning MariaDB knows only this much; a LIMIT of both would come too late.
        last_wanted = Subquery(earlier.values("pk")[most - 1 : most])
        later = later.alias(last_wanted=last_wanted).filter(last_wanted=None)
        return earlier[:most].union(later[:most], all=True)


def read(rows: QuerySet | Stages, position: Sequence[Any] | None, most: int, *, backwards: bool = False) -> list[Any]:
    """Return the first so many rows in their order, after `position` where one is given. `backwards` says that the
    order is the list's turned round."""
    found = list(wanted(rows, position, most, backwards=backwards))
    return in_stages(found, most, backwards=backwards) if isinstance(rows, Stages) else found


def wanted(rows: QuerySet | Stages, position: Sequence[Any] | None, most: int, *, backwards: bool = False) -> QuerySet:
    """Return the query that `read` asks. Of `Stages` it finds what `in_stages` puts in order."""
    if isinstance(rows, Stages):
        return rows.wanted(position, most, backwards=backwards)
    if position is not None:
        rows = rows.filter(beyond(rows.query.order_by, position))
    return rows[:most]


def in_stages(found: list[Mapping[str, Any]], most: int, *, backwards: bool = False) -> list[Mapping[str, Any]]:
    return sorted(found, key=lambda row: row[STAGE], reverse=backwards)[:most]


def in_order(pairs: list[tuple[Any, Any]], order: Sequence[str]) -> list[tuple[Any, Any]]:
    """Return pairs of a key and something in the order of the keys, whose columns all go the same way."""
    return sorted(pairs, key=lambda pair: position_of(pair[0], order), reverse=order[0].startswith("-"))


def order_of(rows: QuerySet | Stages) -> tuple[str, ...]:
    """Return what tells a row's place in these: the columns they are ordered by, and first the stage, if any."""
    return (STAGE, *rows.order) if isinstance(rows, Stages) else tuple(rows.query.order_by)


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


def beginning_with(column: str, text: str) -> Q:
    """Return the rows whose binary column begins so, as a range of its index: LIKE BINARY, which Django's
    `startswith` asks with, reads every row."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": f"{text}\U0010ffff"})
