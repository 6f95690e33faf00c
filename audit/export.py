"""The audit log as one file, written row by row while it is read."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from audit.lines import Line, line_of, moment
from mailhost import sheets
from mailhost.actor import Actor

BATCH = 500

COLUMNS: dict[str, Callable[[Line], Any]] = {
    "time": lambda line: moment(line.event.created_at),
    "account": lambda line: line.tenant.name,
    "act": lambda line: line.event.action,
    "actor_type": lambda line: line.actor_type,
    "actor": lambda line: line.actor,
    "impersonator": lambda line: line.impersonator,
    "address": lambda line: line.address,
    "object_type": lambda line: line.object_type,
    "object_id": lambda line: line.object_id,
    "object": lambda line: line.event.object,
    "before": lambda line: line.event.before,
    "after": lambda line: line.event.after,
    "details": lambda line: line.details,
    "request_id": lambda line: line.event.request_id,
    "id": lambda line: f"evt_{line.event.uid}",
    "sequence": lambda line: line.event.sequence,
    "hash": lambda line: line.event.hash,
}


def as_csv(viewer: Actor, rows: QuerySet) -> Iterator[str]:
    """Return the events as CSV, newest first."""
    return sheets.as_csv(COLUMNS, ([value(line) for value in COLUMNS.values()] for line in lines(viewer, rows)))


def as_json(viewer: Actor, rows: QuerySet) -> Iterator[str]:
    """Yield the events as one JSON array with a line for each, newest first."""
    yield "["
    separator = "\n"
    for line in lines(viewer, rows):
        yield separator + json.dumps({name: value(line) for name, value in COLUMNS.items()}, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n"


# How it is named in addresses, its media type, and what writes it.
FORMATS: dict[str, tuple[str, Callable[[Actor, QuerySet], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}


def lines(viewer: Actor, rows: QuerySet) -> Iterator[Line]:
    """Yield these events as the viewer may see them, newest first, a few hundred in memory at a time.

    A streamed answer is made after its request has left the tenant's scope: `rows` were made inside of it.
    """
    last = None
    while True:
        batch = list((rows if last is None else rows.filter(pk__lt=last))[:BATCH])
        yield from (line_of(event, viewer) for event in batch)
        if len(batch) < BATCH:
            return
        last = batch[-1].pk
