"""The shape of what comes in and goes out. Shape only: rules are the operations'."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar

from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from mailhost.api.ids import public_id

MAX_TEXT = 1000
MAX_INTEGER = 2**31 - 1
Read = Callable[[Any], Any]


class Shape(serializers.Serializer):
    """A request's body. Members it does not know are refused, so that a misspelt one is never lost quietly."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise ValidationError(
                {name: [ErrorDetail("This field is unknown here.", "unknown_field")] for name in unknown}
            )
        return super().to_internal_value(data)


class Nothing(Shape):
    """The body of an act that needs none."""


class Answer(serializers.Serializer):
    """An answer's body: every field is always there. The OpenAPI document calls `DomainAnswer` Domain.

    `volatile` are the fields that change without a request; an ETag does not depend on them.
    """

    volatile: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        set_override(cls, "component_name", cls.__name__.removesuffix("Answer"))

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The same as DRF's own, without copying the fields for each answer and asking them anew for each row."""
        if isinstance(instance, Mapping):
            return super().to_representation(instance)
        return {name: read(instance) for name, read in self._readers}

    @cached_property
    def _readers(self) -> list[tuple[str, Read]]:
        return [(name, self._bound(name, read)) for name, read in _readers_of(type(self))]

    def _bound(self, name: str, read: Read | str | None) -> Read:
        if read is None:
            # An answer within this one reads the same context.
            return _by_field(self.fields[name])
        return getattr(self, read) if isinstance(read, str) else read


@cache
def _readers_of(answer: type[Answer]) -> tuple[tuple[str, Read | str | None], ...]:
    """Return how each field of such answers is read: a function of the row, the name of the answer's own method, or
    None for what each answer asks its own field."""
    return tuple((field.field_name, _reader(field)) for field in answer()._readable_fields)


def _reader(field: serializers.Field) -> Read | str | None:
    """Return the shortest way from a row to what an answer says of it."""
    match field:
        case serializers.SerializerMethodField():
            return field.method_name
        case serializers.BaseSerializer():
            return None
        case serializers.DateTimeField():
            column = attrgetter(field.source)
            return lambda row: _moment(column(row))
        case serializers.CharField() | serializers.IntegerField() | serializers.BooleanField():
            return attrgetter(field.source)
    return _by_field(field)


def _by_field(field: serializers.Field) -> Read:
    """Return DRF's own way to read a field."""
    if field.source == "*":
        return field.to_representation
    return lambda row: None if (value := field.get_attribute(row)) is None else field.to_representation(value)


def _moment(value: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC, as it is stored."""
    return None if value is None else f"{value.replace(tzinfo=None).isoformat()}Z"


class Text(serializers.CharField):
    """A JSON string as it was sent, without control characters. Numbers are not taken for strings."""

    default_error_messages = {"control_character": "Control characters are not allowed here."}

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", MAX_TEXT)
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in data):
            self.fail("control_character")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON integer within a database column's range. "5", 5.0 and true are not."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_value", MAX_INTEGER)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Switch(serializers.BooleanField):
    """true or false, nothing that resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ObjectName(serializers.Field):
    """Says what kind of object an answer is: always the same word."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        super().__init__(source="*", **options)
        set_override(self, "field", {"type": "string", "const": name})

    def to_representation(self, value: Any) -> str:
        return self.name


class PublicId(serializers.Field):
    """The opaque id of a row: prefix, underscore, uid. `source` is the row, the object itself unless given."""

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        options.setdefault("source", "*")
        super().__init__(**options)
        set_override(self, "field", {"type": "string", "pattern": f"^{prefix}_[0-9a-z]{{20}}$"})

    def to_representation(self, value: Any) -> str | None:
        return public_id(self.prefix, value)
