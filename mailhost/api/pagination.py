"""Lists: a page after a position, never after a count of rows."""

from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from mailhost.api.errors import InvalidParameter
from mailhost.keyset import Stages, order_of, position_of, read

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
TOTAL = "total"


class CursorList(BasePagination):
    """Pages a queryset by the values of its own order, which must end with something unique.

    The cursor is signed, so its values are those that we wrote. Rows that come or go before it move nothing, and
    page 2,000 is an index range like page 1.
    """

    parameters = frozenset({"limit", "after", "include"})

    def paginate_queryset(self, queryset: QuerySet | Stages, request, view=None) -> list[Any]:
        self.request = request
        order = order_of(queryset)
        # Signed for this path and order, so that the cursor of one list does not place us in another.
        self.salt = f"cursor:{request.path}:{','.join(order)}"
        self.limit = _limit(request.query_params.get("limit"))
        self.total = queryset.count() if _includes_total(request.query_params.get("include")) else None
        after = request.query_params.get("after")
        position = None if after is None else self._position(after, order)
        # One row more than shown tells whether there is a next page, without a count.
        rows = read(queryset, position, self.limit + 1)
        self.next_cursor = None
        if len(rows) > self.limit:
            rows.pop()
            self.next_cursor = signing.dumps(position_of(rows[-1], order), salt=self.salt)
        return rows

    def get_paginated_response(self, data: list[Any]) -> Response:
        answer = {
            "object": "list",
            "data": data,
            "has_more": self.next_cursor is not None,
            "next_cursor": self.next_cursor,
        }
        if self.total is not None:
            answer["total"] = self.total
        return Response(answer, headers={"Link": self._link()} if self.next_cursor else None)

    def _position(self, cursor: str, order: tuple[str, ...]) -> list[Any]:
        try:
            position = signing.loads(cursor, salt=self.salt)
        except (signing.BadSignature, ValueError):
            position = None
        if not isinstance(position, list) or len(position) != len(order):
            raise InvalidParameter("after", "invalid_cursor", "The cursor is not one that this list gave out.")
        return position

    def _link(self) -> str:
        parameters = {**self.request.query_params.dict(), "limit": self.limit, "after": self.next_cursor}
        return f'<{self.request.build_absolute_uri(self.request.path)}?{urlencode(parameters)}>; rel="next"'


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
