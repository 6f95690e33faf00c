"""Tables as CSV (RFC 4180) that a spreadsheet may open: no cell is a formula to it."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

# A spreadsheet would take a cell that begins so for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
# A leading sign that spreadsheets take for "this is text".
GUARD = "'"


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the table line by line, the columns' names first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([guarded(value) for value in row])


def guarded(value: Any) -> str:
    """Return how a value stands in a cell."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{GUARD}{text}" if text.startswith(FORMULA_SIGNS) else text


def unguarded(text: str) -> str:
    """Return what a cell held before `guarded`, so that a table we gave out comes back as it was."""
    return text.removeprefix(GUARD) if text.startswith(tuple(GUARD + sign for sign in FORMULA_SIGNS)) else text


class _Echo:
    """A file for `csv` that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
