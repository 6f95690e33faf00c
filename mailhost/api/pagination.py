"""Lists: a page after a position, never after a count of rows."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
from django.utils.encoding import iri_to_uri
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.errors import InvalidParameter
from mailhost.api.lists import Asked, Listing
from mailhost.keyset import STAGE, in_order, in_stages, position_of, wanted
from mailhost.prepared import Prepared

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
TOTAL = "total"


# Every list of the API, and some more: who asks with rows of its own making each time must not grow it.
MOST_LISTS = 100
Source = Callable[..., QuerySet]


class CursorList:
    """A page of a list, by the values of its order, which must end with something unique.

    The cursor is signed, so its values are those that we wrote. Rows that come or go before it move nothing, and
    page 2,000 is an index range like page 1.
    """

    parameters = frozenset({"limit", "after", "include"})

    def __init__(self, request: Request, listing: Listing) -> None:
        self.request, self.listing = request, listing
        self.asked, self.words = listing.asked(request.query_params)
        order = (STAGE, *self.asked.order) if self.asked.in_stages else self.asked.order
        # Signed for this path and order, so that the cursor of one list does not place us in another.
        self.salt = f"cursor:{request.path}:{','.join(order)}"
        self.order = order
        self.limit = _limit(request.query_params.get("limit"))
        self.includes_total = _includes_total(request.query_params.get("include"))
        after = request.query_params.get("after")
        self.position = None if after is None else self._position(after)

    def read(self, rows: Source | QuerySet, values: Mapping[str, Any], whole: Prepared | None = None) -> list[Any]:
        """Return the rows of this page, of those that `rows` returns for these values: then its query is prepared.
        With `whole` they are keys, and the rows are its own (`mailhost.prepared`)."""
        if callable(rows) and self.asked.is_of_choices:
            asks = _prepared(self.listing, rows, whole)
        else:
            asks = _of(self.listing, rows if callable(rows) else lambda: rows, whole).unprepared
        # Which of the stages it is decides how the query looks.
        stages = 1 if self.asked.in_stages else 0
        stage, position = (None, None) if self.position is None else (self.position[:stages], self.position[stages:])
        # One row more than shown tells whether there is a next page, without a count.
        most = self.limit + 1
        found = asks(self.asked, stage, most, words=self.words, position=position, **values)
        if whole:
            found = in_order(found, self.order)[:most]
        elif self.asked.in_stages:
            found = in_stages(found, most)
        if self.includes_total:
            all_rows = rows(**values) if callable(rows) else rows
            self.total = self.listing.applied(all_rows, self.asked, self.words).count()
        self.next_cursor = None
        if len(found) > self.limit:
            found.pop()
            last = found[-1][0] if whole else found[-1]
            self.next_cursor = signing.dumps(position_of(last, self.order), salt=self.salt)
        return [row for _, row in found] if whole else found

    def answered(self, data: list[Any]) -> Response:
        answer = {
            "object": "list",
            "data": data,
            "has_more": self.next_cursor is not None,
            "next_cursor": self.next_cursor,
        }
        if self.includes_total:
            answer["total"] = self.total
        return Response(answer, headers={"Link": self._link()} if self.next_cursor else None)

    def _position(self, cursor: str) -> tuple[Any, ...]:
        try:
            position = signing.loads(cursor, salt=self.salt)
        except (signing.BadSignature, ValueError):
            position = None
        if not isinstance(position, list) or len(position) != len(self.order):
            raise InvalidParameter("after", "invalid_cursor", "The cursor is not one that this list gave out.")
        return tuple(position)

    def _link(self) -> str:
        parameters = {**self.request.query_params.dict(), "limit": self.limit, "after": self.next_cursor}
        place = f"{self.request.scheme}://{self.request.get_host()}{iri_to_uri(self.request.path)}"
        return f'<{place}?{urlencode(parameters)}>; rel="next"'


def page_of(
    listing: Listing,
    rows: Source,
    asked: Asked,
    stage: tuple[int, ...] | None,
    most: int,
    *,
    words: str | None,
    position: tuple[Any, ...] | None,
    **values: Any,
) -> QuerySet:
    """Return the query of a page: at most so many of the rows that are asked for, after this position, if any."""
    found = listing.applied(rows(**values), asked, words)
    return wanted(found, None if position is None else (*stage, *position), most)


def _of(listing: Listing, rows: Source, whole: Prepared | None) -> Prepared:
    return Prepared(partial(page_of, listing, rows), whole=whole)


_prepared = lru_cache(MOST_LISTS)(_of)


def _includes_total(text: str | None) -> bool:
    if text not in {None, TOTAL}:
        raise InvalidParameter("include", "invalid_choice", f"What can be included is {TOTAL}.")
    return text == TOTAL


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidParameter("limit", "out_of_range", f"The limit is a number from 1 to {MAX_LIMIT}.")
    return int(text)
