"""What a list may be asked: orders, filters, words. One declaration, which the answer and the document come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter

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

    def checked(self, text: str) -> str:
        if self.choices and text not in self.choices:
            raise InvalidParameter(self.name, "invalid_choice", f"Choose one of {', '.join(self.choices)}.")
        return text

    @property
    def parameter(self) -> OpenApiParameter:
        return OpenApiParameter(self.name, str, description=self.description, enum=self.choices or None)


def one_of(name: str, description: str, meanings: Mapping[str, Mapping[str, Any]]) -> Filter:
    """Return a filter by words that each stand for conditions of the table."""
    return Filter(name, description, lambda rows, text: rows.filter(**meanings[text]), tuple(meanings))


def in_ascii(column: str) -> Narrow:
    """Return a search in a column that holds ASCII alone: MariaDB answers an error, not "no row", when it is asked for
    other characters."""
    return lambda rows, words: rows.filter(**{f"{column}__contains": words}) if words.isascii() else rows.none()


@dataclass(frozen=True)
class Asked:
    """How a list was asked for, without the words that are searched: what decides how its query looks."""

    order: tuple[str, ...]
    filters: tuple[tuple[Filter, str], ...]
    in_stages: bool

    @property
    def is_of_choices(self) -> bool:
        """Whether all texts in it are of a few: then its query is worth keeping."""
        return all(one.choices for one, _ in self.filters)


@dataclass(frozen=True, eq=False)
class Listing:
    """`orders` are the columns behind each name that `sort` takes, the first being the usual order; they end in
    something unique, and "-" before the name turns them round. `search` narrows to words, as `words_of` makes them of
    what was typed; they stand in its query as they are. `searched` says where, and `found_first` says of the usual
    order which of them come first (`mailhost.keyset.Stages`)."""

    orders: Mapping[str, tuple[str, ...]]
    filters: tuple[Filter, ...] = ()
    search: Narrow | None = None
    searched: str = ""
    words_of: Callable[[str], str] = str
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

    def asked(self, parameters: Mapping[str, str]) -> tuple[Asked, str | None]:
        """Return how a request asks for the list, and the words it searches, if any. Raises InvalidParameter."""
        words = parameters.get(SEARCH, "").strip() if self.search else ""
        if len(words) > MAX_WORDS:
            raise InvalidParameter(SEARCH, "too_long", f"Search for at most {MAX_WORDS} characters.")
        filters = tuple((one, one.checked(parameters[one.name])) for one in self.filters if one.name in parameters)
        order = self._order(parameters.get(SORT, next(iter(self.orders))))
        in_stages = bool(words and self.found_first) and SORT not in parameters
        return Asked(order, filters, in_stages), self.words_of(words) if words else None

    def applied(self, rows: QuerySet, asked: Asked, words: str | None) -> QuerySet | Stages:
        """Return of these rows those that are asked for, in their order."""
        for one, text in asked.filters:
            rows = one.narrow(rows, text)
        if words is not None:
            rows = self.search(rows, words)
            if asked.in_stages:
                rows = self.found_first(rows, words)
        return rows.order_by(*asked.order)

    def _order(self, sort: str) -> tuple[str, ...]:
        if sort not in self.sorts:
            raise InvalidParameter(SORT, "invalid_choice", f"Sort by one of {', '.join(self.sorts)}.")
        order = self.orders[sort.removeprefix("-")]
        return reversed_order(order) if sort.startswith("-") else order
