"""What an operation did to its rows: which one it was about, and its columns before and after."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models

from mailhost.operation import describe
from mailhost.recorded import CLOCKS, MASK, Recorded

Columns = dict[str, Any]
# A row among an operation's arguments, or the rows of a group.
Given = models.Model | list[models.Model]
# What is longer stands in the row itself; the record says how it begins.
LONGEST = 1000
# Of so many rows of one act the record names what changed; `record` counts them all.
MOST_ROWS = 50


@dataclass(frozen=True)
class Change:
    """`rows` are what the act was about; `before` or `after` is None where there was, or is, no row."""

    rows: list[models.Model]
    before: Columns | list[Columns] | None
    after: Columns | list[Columns] | None

    @property
    def name(self) -> str:
        return ", ".join(str(describe(row)) for row in self.rows[:MOST_ROWS])


def change_of(given: Sequence[Given], result: Any) -> Change:
    """Return what an operation changed. `given` are the rows and groups among its arguments, `result` is what it
    returned: the row it changed or made, several of them, or None for what it removed."""
    rows = rows_of(given, result)
    group = given[0] if given and isinstance(given[0], list) else None
    if _are_rows(result):
        if group:
            return Change(rows, _each(group), _each(rows))
        return Change(rows, None, [_columns(row, _newly(row)) for row in rows[:MOST_ROWS]])
    if isinstance(result, models.Model):
        before, after = _difference(result, given)
        return Change(rows, before, after)
    if result is None and rows:
        # Nothing is left, so the record is about what was given.
        return Change(rows, _each(group) if group else _whole(rows[0]), None)
    return Change(rows, None, None)


def rows_of(given: Sequence[Given], result: Any) -> list[models.Model]:
    """Return what an operation was about: the rows it returned, or else the first that it was given."""
    if _are_rows(result):
        return list(result)
    if isinstance(result, models.Model):
        return [result]
    first = given[0] if given else []
    return first if isinstance(first, list) else [first]


def by_tenant(rows: Sequence[models.Model]) -> dict[int | None, list[models.Model]]:
    """Gather the rows of each tenant, in their order."""
    found = defaultdict(list)
    for row in rows:
        found[tenant_id_of(row)].append(row)
    return dict(found)


def tenant_id_of(row: models.Model) -> int | None:
    """Return whose the row is, or None for one of the installation's."""
    steps = getattr(row, "tenant_path", "").split("__")[:-1]
    if not hasattr(row, "tenant_path"):
        return None
    if not steps:
        return row.pk
    for step in steps[:-1]:
        row = getattr(row, step)
    return getattr(row, f"{steps[-1]}_id")


def _are_rows(result: Any) -> bool:
    return isinstance(result, (list, tuple)) and bool(result) and all(isinstance(row, models.Model) for row in result)


def _difference(row: models.Model, given: Sequence[Given]) -> tuple[Columns | None, Columns | None]:
    """Return the columns in which the row differs from how the operation read it, before and now."""
    same = next((one for one in given if type(one) is type(row) and one.pk == row.pk), None)
    now, then = _now(row), _as_read(row)
    if then is None and same is not None:
        then = _as_read(same)
    if then is None:
        return None, _columns(row, now)
    differing = [name for name in now if name in then and now[name] != then[name]]
    return (
        _columns(same or row, {name: then[name] for name in differing}),
        _columns(row, {name: now[name] for name in differing}),
    )


def _whole(row: models.Model) -> Columns:
    """Return a row as the operation read it."""
    return _columns(row, _as_read(row) or _now(row))


def _each(group: Sequence[models.Model]) -> list[Columns]:
    return [_whole(row) for row in group[:MOST_ROWS]]


def _newly(row: models.Model) -> Columns:
    """Return the columns of one of several rows: all of one that was made, of one that was changed what changed."""
    then, now = _as_read(row) or {}, _now(row)
    return {name: value for name, value in now.items() if name not in then or value != then[name]}


def _as_read(row: models.Model) -> Columns | None:
    if not hasattr(row, "as_read"):
        return None
    names, values = row.as_read
    return dict(zip(names, values, strict=True))


def _now(row: models.Model) -> Columns:
    """Return the row's columns without asking the database for those that were not read."""
    return {field.attname: row.__dict__[field.attname] for field in _fields(row) if field.attname in row.__dict__}


def _columns(row: models.Model, values: Columns) -> Columns:
    """Return what of these columns stands in the record, under their names and without secrets."""
    secret = row.secret if isinstance(row, Recorded) else frozenset()
    shown = {}
    for field in _fields(row):
        if field.attname not in values or _is_left_out(row, field):
            continue
        value = values[field.attname]
        if isinstance(field, models.ForeignKey) and value is not None:
            # A row is recorded by its name, where the operation had read it; its number means nothing to anybody.
            pointed = row._state.fields_cache.get(field.name)
            if pointed is None or pointed.pk != value:
                continue
            value = str(pointed)
        shown[field.name] = MASK if field.name in secret and value else _plain(value)
    return shown


def _fields(row: models.Model) -> list[models.Field]:
    return [field for field in row._meta.concrete_fields if not field.generated and not field.primary_key]


def _is_left_out(row: models.Model, field: models.Field) -> bool:
    return field.name in CLOCKS or field.name == "uid" or field.name in getattr(row, "unrecorded", ())


def _plain(value: Any) -> Any:
    """Return the value as JSON holds it."""
    if isinstance(value, (datetime, date)):
        return value.isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, (dict, list, bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
