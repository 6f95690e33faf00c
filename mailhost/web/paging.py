"""Lists in pages by keyset: the next page starts after a row, so page 1,000 costs what page 1 costs."""

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from mailhost.keyset import Stages, order_of, position_of, read, reversed_order

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


def page_of(rows: QuerySet | Stages, keys: tuple[str, ...], cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """Return the page at `cursor`. `keys` name the order ("-" for descending) and end in something unique.

    A cursor that nobody gave out leads to the first page.
    """
    places = order_of(rows.order_by(*keys))
    position = _read(cursor, places)
    backwards = position is not None and position[0] == BACK
    wanted = rows.order_by(*(reversed_order(keys) if backwards else keys))
    found = read(wanted, None if position is None else position[1], size + 1, backwards=backwards)
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
        next=_write(ON, places, found[-1]) if has_next else "",
        previous=_write(BACK, places, found[0]) if has_previous else "",
    )


def _write(direction: str, places: tuple[str, ...], row: Any) -> str:
    return signing.dumps([direction, *position_of(row, places)], salt=_salt(places))


def _read(cursor: str, places: tuple[str, ...]) -> tuple[str, list[Any]] | None:
    """Signed, so that no forged position reaches the database, and none of a list in another order."""
    try:
        direction, *values = signing.loads(cursor, salt=_salt(places))
    except signing.BadSignature:
        return None
    return direction, values


def _salt(places: tuple[str, ...]) -> str:
    return " ".join((SALT, *places))
