"""Queries whose SQL is written once for each process: only their values are bound anew.

Writing a query costs Django several times what MariaDB needs to answer it by an index. What is prepared stays an
ordinary query, made in a tenant's scope by the manager that filters: what is in scope is decided where it always is.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime, tzinfo
from functools import lru_cache, partial
from itertools import count
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.query import ModelIterable, ValuesIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from mailhost.scope import current_scope, tenant_scope

# Of one query, by its shape, the names of what it is asked with, and by how many values each has.
MOST_FORMS = 256
# A path that no tenant has: it stands in a written query where the scope's will.
ANY_PATH = "/\x02/"
# What begins a text that stands for a value. A pattern of LIKE would hold it escaped, by which that is told; whoever
# turns it into small or capital letters is found out.
MARK = "\x02_aB"
BOTH = "SELECT STRAIGHT_JOIN found.*, whole.* FROM ({}) found INNER JOIN ({}) whole ON whole.pk = found.pk"
BOOLEANS = {0: False, 1: True}
# What are no values but parts of the query itself.
STRUCTURE = (bool, type(None))

Read = Callable[[Sequence[Any]], Any]


class Within(NamedTuple):
    """A parameter in which a value stands between other characters, as in the pattern of LIKE."""

    before: str
    mark: str
    after: str
    is_pattern: bool

    def bound(self, value: str) -> str:
        return self.before + (connection.ops.prep_for_like_query(value) if self.is_pattern else value) + self.after


class Written(NamedTuple):
    """`places` are the parameters in their order: what the query holds itself, or the mark of one of the values.
    `read` makes of a row's columns what the query's rows are."""

    sql: str
    places: tuple[Any, ...]
    marks: tuple[Any, ...]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    read: Read
    related: tuple[Any, ...]
    width: int

    def beside(self, other: "Written") -> "Written":
        """Return what reads pairs of this query's rows, in no order, and of the other's with the same `pk`.

        This one is asked by itself; the other becomes part of the whole (a merged derived table), which STRAIGHT_JOIN
        lets begin with the rows that this one found.
        """
        width, shifted = self.width, tuple((self.width + at, convert) for at, convert in other.converters)
        return Written(
            BOTH.format(self.sql, other.sql),
            self.places + other.places,
            self.marks,
            self.converters + shifted,
            lambda columns: (self.read(columns[:width]), other.read(columns[width:])),
            (),
            width + other.width,
        )

    def bound(self, values: Iterable[Any]) -> list[Any]:
        given = dict(zip(self.marks, values, strict=True))
        return [
            place.bound(given[place.mark]) if isinstance(place, Within) else given.get(place, place)
            for place in self.places
        ]

    def rows(self, values: Iterable[Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.bound(values))
            found = cursor.fetchall()
        if self.converters and found:
            # Column by column: half the time of row by row.
            columns: list[Iterable[Any]] = list(zip(*found, strict=True))
            for at, convert in self.converters:
                columns[at] = map(convert, columns[at])
            found = zip(*columns, strict=True)
        read = self.read
        rows = [read(row) for row in found]
        if self.related:
            models.prefetch_related_objects(rows, *self.related)
        return rows


class Prepared:
    """`make(*shape, **values)` returns a query of what is asked for. Called with the same, this returns its rows, or
    what `read` makes of each row's columns.

    `in_order`: the tables are joined in the order in which the query names them, because the first one finds the
    rows. MariaDB then weighs no other order, which takes a fifth of the time of a page.

    `whole`: another one, of no shape. Each row is a pair then: of the columns of this one, with a `pk`, and the
    other's row of that `pk`; in one statement, which finds its rows in an index before it reads any as a whole, and in
    no order.

    `shape` decides how the query looks. A value is a text, a number, or a tuple of either, and stands in the query as
    it was given, or in a pattern of LIKE; yes, no and None are of the shape. The query depends on nothing else but
    the scope.
    """

    def __init__(
        self,
        make: Callable[..., models.QuerySet],
        read: Read | None = None,
        *,
        in_order: bool = False,
        whole: "Prepared | None" = None,
    ) -> None:
        self.make, self.read, self.in_order, self.whole = make, read, in_order, whole
        self.written = lru_cache(MOST_FORMS)(self._written)

    def __call__(self, *shape: Hashable, **values: Any) -> list[Any]:
        scope = current_scope("A prepared query")
        if () in values.values():
            return []
        if scope.domains is not None:
            # Bound to as many domains as a key names: too many forms to keep.
            return self.unprepared(*shape, **values)
        form = tuple((name, _form_of(value)) for name, value in values.items())
        written = self.written(shape, form, bool(scope.path))
        return written.rows((*_each(values.values()), *_edges(scope.path)))

    def unprepared(self, *shape: Hashable, **values: Any) -> list[Any]:
        """Return the same, without keeping how it is asked."""
        rows = self.make(*shape, **values)
        rows = [self.read(row) for row in rows] if self.read else list(rows)
        if self.whole is None:
            return rows
        found = {row.pk: row for row in self.whole(pk__in=tuple(row["pk"] for row in rows))}
        return [(row, found[row["pk"]]) for row in rows if row["pk"] in found]

    def _written(self, shape: tuple[Hashable, ...], form: tuple[tuple[str, Any], ...], is_scoped: bool) -> Written:
        numbers = count(2**62)
        marks = {name: _marked(kind, numbers) for name, kind in form}
        # Where there is no path to bind, this is the scope of all tenants already.
        with tenant_scope(ANY_PATH) if is_scoped else nullcontext():
            rows = self.make(*shape, **marks)
            compiler = rows.query.get_compiler(connection=connection)
            sql, parameters = compiler.as_sql()
        wanted = (*_each(marks.values()), *_edges(ANY_PATH if is_scoped else ""))
        places = tuple(_place(parameter, wanted) for parameter in parameters)
        if not set(wanted) <= {place.mark if isinstance(place, Within) else place for place in places}:
            raise TypeError("a value stands in the query otherwise than it was given")
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        written = Written(
            sql,
            places,
            wanted,
            tuple((at, _conversion(*found)) for at, found in converters.items()),
            self.read or _reader(rows, compiler),
            rows._prefetch_related_lookups,
            len(compiler.select),
        )
        if self.whole:
            return written.beside(self.whole._written((), (), is_scoped))
        return written._replace(sql=sql.replace("SELECT", "SELECT STRAIGHT_JOIN", 1)) if self.in_order else written


def _conversion(converters: list[Callable], expression: Any) -> Callable[[Any], Any]:
    """Return what makes of a column what Python has, the shortest way for what most lists have most of."""
    if converters == [connection.ops.convert_booleanfield_value]:
        return BOOLEANS.get
    if converters == [connection.ops.convert_datetimefield_value]:
        return partial(_moment, connection.timezone)
    return partial(converted, converters, expression)


def _moment(zone: tzinfo, value: datetime | None) -> datetime | None:
    return value and value.replace(tzinfo=zone)


def converted(converters: list[Callable], expression: Any, value: Any) -> Any:
    """Return what a column holds as Python has it."""
    for convert in converters:
        value = convert(value, expression, connection)
    return value


def _reader(rows: models.QuerySet, compiler: SQLCompiler) -> Read:
    """Return what makes of a row's columns a row of this query, as the query itself would."""
    if issubclass(rows._iterable_class, ModelIterable):
        return _reader_of_objects(compiler)
    if issubclass(rows._iterable_class, ValuesIterable):
        query = rows.query
        names = query.selected or (*query.extra_select, *query.values_select, *query.annotation_select)
        return lambda columns: dict(zip(names, columns, strict=True))
    return tuple


def _reader_of_objects(compiler: SQLCompiler) -> Read:
    about, extras = compiler.klass_info, tuple((compiler.annotation_col_map or {}).items())
    first, last = about["select_fields"][0], about["select_fields"][-1] + 1
    names = [column.target.attname for column, _, _ in compiler.select[first:last]]
    related = get_related_populators(about, compiler.select, DEFAULT_DB_ALIAS)

    def read(columns: Sequence[Any]) -> models.Model:
        row = about["model"].from_db(DEFAULT_DB_ALIAS, names, columns[first:last])
        for one in related:
            one.populate(columns, row)
        for name, at in extras:
            setattr(row, name, columns[at])
        return row

    return read


def _form_of(value: Any) -> Any:
    """Return what of a value the written query depends on."""
    if isinstance(value, tuple):
        return tuple(map(type, value))
    return (value,) if isinstance(value, STRUCTURE) else type(value)


def _marked(form: Any, numbers: Iterator[int]) -> Any:
    """Return what stands for a value of this form in the query while it is written."""
    if not isinstance(form, tuple):
        return _mark(form, numbers)
    return form[0] if isinstance(form[0], STRUCTURE) else tuple(_mark(kind, numbers) for kind in form)


def _mark(kind: type, numbers: Iterator[int]) -> Any:
    return f"{MARK}{next(numbers)}" if issubclass(kind, str) else next(numbers)


def _place(parameter: Any, marks: tuple[Any, ...]) -> Any:
    """Return what a written parameter holds: itself, or where in it one of the values stands."""
    if not isinstance(parameter, str) or parameter in marks:
        return parameter
    for mark in marks:
        if isinstance(mark, str) and mark.startswith(MARK):
            for form in (mark, connection.ops.prep_for_like_query(mark)):
                before, found, after = parameter.partition(form)
                if found:
                    return Within(before, mark, after, is_pattern=form != mark)
    return parameter


def _each(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from value
        elif not isinstance(value, STRUCTURE):
            yield value


def _edges(path: str) -> tuple[str, ...]:
    """Return the bounds of a subtree's range, as `mailhost.scope.subtree` asks for them."""
    return (path, path[:-1] + "0") if path else ()
