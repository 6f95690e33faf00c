"""New rows: the INSERT of a table is written once for each process (see `mailhost.prepared`)."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault, Expression
from django.db.models.fields import NOT_PROVIDED

from mailhost.prepared import converted

Row = TypeVar("Row", bound=models.Model)
# What a statement can hold, rows of a thousand bytes supposed: a third of max_allowed_packet (16 MB).
MOST_ROWS = 5000

# What these hold is written as it is, unless their class has a way of its own to save it.
AS_IT_IS = (models.BooleanField, models.CharField, models.ForeignKey, models.IntegerField, models.TextField)


class Insert(NamedTuple):
    """`before`, so many times `one`, and `behind` are the statement. `read` reads what is written of a row; `others`
    are those of it that their fields make. `answered` are the columns that the database makes itself, and how each is
    read."""

    before: str
    one: str
    behind: str
    read: Callable[[models.Model], tuple[Any, ...]]
    others: tuple[tuple[int, models.Field], ...]
    answered: tuple[tuple[str, Expression, list[Callable]], ...]

    def sql(self, count: int) -> str:
        return self.before + ", ".join([self.one] * count) + self.behind

    def values(self, row: models.Model) -> list[Any] | None:
        """Return what is written of a row, None where the database is to choose some of it."""
        values = list(self.read(row))
        for at, field in self.others:
            value = field.pre_save(row, add=True)
            if isinstance(value, DatabaseDefault):
                return None
            values[at] = field.get_db_prep_save(value, connection)
        return values


def insert(row: Row) -> Row:
    """Write a new row as `save(force_insert=True)` does, for models without parents and signals; return it.

    Raises IntegrityError.
    """
    how = _insert_of(type(row))
    values = how.values(row)
    if values is None:
        row.save(force_insert=True)
        return row
    with connection.cursor() as cursor:
        cursor.execute(how.sql(1), values)
        found = cursor.fetchone() if how.answered else None
        if not how.answered:
            row.pk = cursor.lastrowid
    _take(row, how, found or ())
    return row


def put(row: models.Model, *columns: str) -> None:
    """Write a row, or these columns of the one that stands in its place.

    One statement, and no update_or_create(): in a tenant's scope that locks the tenant's row with the one it reads, and
    two changes that hold the tenant shared would wait for each other.
    """
    type(row).objects.bulk_create([row], update_conflicts=True, update_fields=columns)


def insert_all(rows: Sequence[Row]) -> None:
    """Write new rows of one table, as many as a statement can hold, in one. Raises IntegrityError."""
    for start in range(0, len(rows), MOST_ROWS):
        _insert_some(rows[start : start + MOST_ROWS])


def _insert_some(rows: Sequence[models.Model]) -> None:
    how = _insert_of(type(rows[0]))
    each = [how.values(row) for row in rows]
    if not how.answered or None in each:
        # MySQL would not say which row got which number.
        for row in rows:
            insert(row)
        return
    with connection.cursor() as cursor:
        cursor.execute(how.sql(len(rows)), [value for values in each for value in values])
        for row, found in zip(rows, cursor.fetchall(), strict=True):
            _take(row, how, found)


def _take(row: models.Model, how: Insert, found: Sequence[Any]) -> None:
    """Let a row know what the database has made of it."""
    for (name, column, converters), value in zip(how.answered, found, strict=True):
        setattr(row, name, converted(converters, column, value) if converters else value)
    row._state.adding, row._state.db = False, connection.alias


@cache
def _insert_of(model: type[models.Model]) -> Insert:
    quote = connection.ops.quote_name
    own = tuple(field for field in model._meta.local_concrete_fields if not (field.generated or field.primary_key))
    # MySQL answers the number of the row alone.
    can_answer = connection.features.can_return_columns_from_insert
    columns = [field.get_col(model._meta.db_table) for field in model._meta.db_returning_fields if can_answer]
    names = ", ".join(quote(column.target.column) for column in columns)
    return Insert(
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in own)}) VALUES ",  # noqa: S608 - names of columns, not input
        f"({', '.join(['%s'] * len(own))})",
        f" RETURNING {names}" if columns else "",
        attrgetter(*(field.attname for field in own)),
        tuple((at, field) for at, field in enumerate(own) if not _is_written_as_it_is(field)),
        tuple((column.target.attname, column, _converters(column)) for column in columns),
    )


def _is_written_as_it_is(field: models.Field) -> bool:
    has_own_way = type(field).pre_save is not models.Field.pre_save
    return isinstance(field, AS_IT_IS) and not has_own_way and field.db_default is NOT_PROVIDED


def _converters(column: Expression) -> list[Callable]:
    return connection.ops.get_db_converters(column) + column.get_db_converters(connection)
