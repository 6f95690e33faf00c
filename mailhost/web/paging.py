"""Lists in pages by keyset: the next page starts after a row, so page 1,000 costs what page 1 costs."""

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from mailhost.keyset import beyond, position_of, reversed_order

PAGE_SIZE = 50
ON, BACK = "n", "b"
SALT = "mailhost.web.paging"


@dataclass(frozen=True)
class Page:
    """The rows of one page, and the cursors that lead on and back ("" where there is nothing)."""

    rows: list
    next: str = ""
    previous: str = ""

    def __iter__(self):
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def page_of(rows: QuerySet, keys: tuple[str, ...], cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """Return the page at `cursor`. `keys` name the order ("-" for descending) and end in something unique.

    A cursor that nobody gave out leads to the first page.
    """
    position = _read(cursor, len(keys))
    backwards = position is not None and position[0] == BACK
    order = reversed_order(keys) if backwards else keys
    wanted = rows.order_by(*order)
    if position is not None:
        wanted = wanted.filter(beyond(order, position[1]))
    found = list(wanted[: size + 1])
    if backwards and not found:
        # What stood before was deleted meanwhile.
        return page_of(rows, keys, size=size)
    has_more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_next = bool(found) and (backwards or has_more)
    has_previous = bool(found) and (has_more if backwards else position is not None)
    return Page(
        found,
        next=_write(ON, keys, found[-1]) if has_next else "",
        previous=_write(BACK, keys, found[0]) if has_previous else "",
    )


def _write(direction: str, keys: tuple[str, ...], row: Any) -> str:
    return signing.dumps([direction, *position_of(row, keys)], salt=SALT)


def _read(cursor: str, length: int) -> tuple[str, list[Any]] | None:
    """Signed, so that no forged position reaches the database; one of another list may have another length."""
    try:
        direction, *values = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        return None
    return (direction, values) if len(values) == length else None
