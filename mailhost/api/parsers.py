"""JSON as RFC 8259 means it: UTF-8, one meaning, bounded."""

import json
import math
from typing import Any

from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser

MAX_DEPTH = 32


class StrictJSONParser(JSONParser):
    """Refuses what two readers could understand differently: NaN, numbers beyond a double, a member given twice,
    another charset, more than 32 levels. DRF holds DATA_UPLOAD_MAX_MEMORY_SIZE for this base class."""

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        request = (parser_context or {})["request"]
        _refuse_encodings(media_type or "", request.META.get("HTTP_CONTENT_ENCODING", ""))
        try:
            value = json.loads(
                stream.read().decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_without_duplicates,
            )
        except RecursionError:
            raise ParseError(f"The JSON is deeper than {MAX_DEPTH} levels.") from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
        if depth(value) > MAX_DEPTH:
            raise ParseError(f"The JSON is deeper than {MAX_DEPTH} levels.")
        return value


class MergePatchParser(StrictJSONParser):
    """The same under the name that RFC 7396 gives it."""

    media_type = "application/merge-patch+json"


def depth(value: Any) -> int:
    """Return how many lists and objects lie in one another, without recursion."""
    deepest, level = 0, [value]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        deepest += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return deepest


def _refuse_encodings(media_type: str, content_encoding: str) -> None:
    charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
    if charset.lower() != "utf-8":
        raise UnsupportedMediaType(media_type, detail="JSON is UTF-8; send no other charset.")
    if content_encoding.lower() not in {"", "identity"}:
        raise UnsupportedMediaType(media_type, detail="Send the body without Content-Encoding.")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members
