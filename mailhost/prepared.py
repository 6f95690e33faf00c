"""Queries whose SQL is written once for each process: only their values are bound anew.

Writing a query costs Django several times what MariaDB needs to answer it by an index. What is prepared stays an
ordinary query, made in a tenant's scope by the manager that filters: what is in scope is decided where it always is.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from mailhost.scope import current_scope, tenant_scope

# Of one query, by the names of what it is asked with, and by how many values each has.
MOST_FORMS = 256
# A path that no tenant has: it stands in a written query where the scope's will.
ANY_PATH = "/\x02/"


class Written(NamedTuple):
    """`places` are the parameters in their order: what the query holds itself, or the mark of one of the values."""

    sql: str
    places: tuple[Any, ...]
    marks: tuple[Any, ...]
    converters: tuple[tuple[int, list[Callable], Any], ...]


class Prepared:
    """`make(**values)` returns a `values_list` of what is asked for. Called with such values, this returns its rows,
    each as what `read` makes of a list of its columns.

    A value is a text, a number, or a tuple of either, and stands in the query as it was given: no lookup may change
    it, as `startswith` does. The query depends on nothing else but the scope.
    """

    def __init__(self, make: Callable[..., QuerySet], read: Callable[[Iterable[Any]], Any] = tuple) -> None:
        self.make, self.read = make, read
        self.written = lru_cache(MOST_FORMS)(self._written)

    def __call__(self, **values: Any) -> list[Any]:
        scope = current_scope("A prepared query")
        if () in values.values():
            return []
        if scope.domains is not None:
            # Bound to as many domains as a key names: too many forms to keep.
            return [self.read(row) for row in self.make(**values)]
        form = tuple((name, *_form_of(value)) for name, value in values.items())
        written = self.written(form, bool(scope.path))
        given = dict(zip(written.marks, (*_each(values.values()), *_edges(scope.path)), strict=True))
        with connection.cursor() as cursor:
            cursor.execute(written.sql, [given.get(place, place) for place in written.places])
            return [self.read(_converted(row, written)) for row in cursor.fetchall()]

    def _written(self, form: tuple[tuple[str, type, int | None], ...], is_scoped: bool) -> Written:
        numbers = count(2**62)
        marks = {name: _mark(kind, length, numbers) for name, kind, length in form}
        # Where there is no path to bind, this is the scope of all tenants already.
        with tenant_scope(ANY_PATH) if is_scoped else nullcontext():
            compiler = self.make(**marks).query.get_compiler(connection=connection)
        sql, places = compiler.as_sql()
        wanted = (*_each(marks.values()), *_edges(ANY_PATH if is_scoped else ""))
        if not set(wanted) <= set(places):
            raise TypeError("a value stands in the query otherwise than it was given")
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        return Written(sql, tuple(places), wanted, tuple((at, *found) for at, found in converters.items()))


def _form_of(value: Any) -> tuple[type, int | None]:
    return (type(value[0]), len(value)) if isinstance(value, tuple) else (type(value), None)


def _mark(kind: type, length: int | None, numbers: Iterator[int]) -> Any:
    """Return what stands for a value in the query while it is written."""
    made = [f"\x02{next(numbers)}" if kind is str else next(numbers) for _ in range(length or 1)]
    return made[0] if length is None else tuple(made)


def _each(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, tuple) else (value,)


def _edges(path: str) -> tuple[str, ...]:
    """Return the bounds of a subtree's range, as `mailhost.scope.subtree` asks for them."""
    return (path, path[:-1] + "0") if path else ()


def _converted(row: Iterable[Any], written: Written) -> list[Any]:
    columns = list(row)
    for at, converters, expression in written.converters:
        for convert in converters:
            columns[at] = convert(columns[at], expression, connection)
    return columns
