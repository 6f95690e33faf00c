"""New rows, one at a time: the INSERT of a table is written once for each process (see `mailhost.prepared`)."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeVar

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault, Expression

from mailhost.prepared import converted

Row = TypeVar("Row", bound=models.Model)


class Insert(NamedTuple):
    """`fields` are written; `answered` are the columns that the database makes itself, and how each is read."""

    sql: str
    fields: tuple[models.Field, ...]
    answered: tuple[tuple[str, Expression, list[Callable]], ...]


def insert(row: Row) -> Row:
    """Write a new row as `save(force_insert=True)` does, for models without parents and signals; return it.

    Raises IntegrityError.
    """
    model = type(row)
    sql, fields, answered = _insert_of(model)
    values = [field.pre_save(row, add=True) for field in fields]
    if any(isinstance(value, DatabaseDefault) for value in values):
        row.save(force_insert=True)
        return row
    values = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchone() if answered else None
        if not answered:
            row.pk = cursor.lastrowid
    for (name, column, converters), value in zip(answered, found or (), strict=True):
        setattr(row, name, converted(converters, column, value))
    row._state.adding, row._state.db = False, connection.alias
    return row


@cache
def _insert_of(model: type[models.Model]) -> Insert:
    quote = connection.ops.quote_name
    own = tuple(field for field in model._meta.local_concrete_fields if not (field.generated or field.primary_key))
    # MySQL answers the number of the row alone.
    can_answer = connection.features.can_return_columns_from_insert
    columns = [field.get_col(model._meta.db_table) for field in model._meta.db_returning_fields if can_answer]
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in own)})"
    sql += f" VALUES ({', '.join(['%s'] * len(own))})"
    if columns:
        sql += f" RETURNING {', '.join(quote(column.target.column) for column in columns)}"
    return Insert(sql, own, tuple((column.target.attname, column, _converters(column)) for column in columns))


def _converters(column: Expression) -> list[Callable]:
    return connection.ops.get_db_converters(column) + column.get_db_converters(connection)
