"""What a list may be asked: orders, filters, words. One declaration, which the answer and the document come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from mailhost.api.errors import InvalidParameter
from mailhost.keyset import Stages, reversed_order

SORT, SEARCH = "sort", "q"
MAX_WORDS = 200
Narrow = Callable[[QuerySet, str], QuerySet]


@dataclass(frozen=True)
class Filter:
    """A query parameter that narrows a list; with `choices`, to one of these values."""

    name: str
    description: str
    narrow: Narrow
    choices: tuple[str, ...] = ()

    def apply(self, rows: QuerySet, text: str) -> QuerySet:
        if self.choices and text not in self.choices:
            raise InvalidParameter(self.name, "invalid_choice", f"Choose one of {', '.join(self.choices)}.")
        return self.narrow(rows, text)

    @property
    def parameter(self) -> OpenApiParameter:
        return OpenApiParameter(self.name, str, description=self.description, enum=self.choices or None)


def one_of(name: str, description: str, meanings: Mapping[str, Mapping[str, Any]]) -> Filter:
    """Return a filter by words that each stand for conditions of the table."""
    return Filter(name, description, lambda rows, text: rows.filter(**meanings[text]), tuple(meanings))


@dataclass(frozen=True)
class Listing:
    """`orders` are the columns behind each name that `sort` takes, the first being the usual order; they end in
    something unique, and "-" before the name turns them round. `search` narrows to words, `searched` says where, and
    `found_first` says of the usual order which of them come first (`mailhost.keyset.Stages`)."""

    orders: Mapping[str, tuple[str, ...]]
    filters: tuple[Filter, ...] = ()
    search: Narrow | None = None
    searched: str = ""
    found_first: Callable[[QuerySet, str], Stages] | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset({SORT, *(one.name for one in self.filters), *([SEARCH] if self.search else [])})

    @property
    def sorts(self) -> tuple[str, ...]:
        return tuple(f"{sign}{name}" for name in self.orders for sign in ("", "-"))

    @property
    def parameters(self) -> list[OpenApiParameter]:
        """Return what the OpenAPI document says of them."""
        usual = next(iter(self.orders))
        sort = OpenApiParameter(
            SORT, {"type": "string", "enum": list(self.sorts), "default": usual}, description="The order; “-” reverses."
        )
        words = OpenApiParameter(
            SEARCH, {"type": "string", "maxLength": MAX_WORDS}, description=f"Only those with this in {self.searched}."
        )
        return [sort, *([words] if self.search else []), *(one.parameter for one in self.filters)]

    def applied(self, rows: QuerySet, request: Request) -> QuerySet | Stages:
        """Return the rows that the request asks for, in its order. Raises InvalidParameter."""
        asked = request.query_params
        for one in self.filters:
            if one.name in asked:
                rows = one.apply(rows, asked[one.name])
        if self.search and (words := asked.get(SEARCH, "").strip()):
            if len(words) > MAX_WORDS:
                raise InvalidParameter(SEARCH, "too_long", f"Search for at most {MAX_WORDS} characters.")
            rows = self.search(rows, words)
            if self.found_first and SORT not in asked:
                rows = self.found_first(rows, words)
        return rows.order_by(*self._order(asked.get(SORT, next(iter(self.orders)))))

    def _order(self, sort: str) -> tuple[str, ...]:
        if sort not in self.sorts:
            raise InvalidParameter(SORT, "invalid_choice", f"Sort by one of {', '.join(self.sorts)}.")
        order = self.orders[sort.removeprefix("-")]
        return reversed_order(order) if sort.startswith("-") else order
