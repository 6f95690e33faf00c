"""The shape of what comes in and goes out. Shape only: rules are the operations'."""

import base64
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from mailhost.api.ids import public_id

MAX_TEXT = 1000
MAX_INTEGER = 2**31 - 1
Read = Callable[[Any], Any]
# What stands in answers as the row has it; times become text when the answer is sent (`mailhost.api.rendering`).
AS_IT_IS = (serializers.CharField, serializers.IntegerField, serializers.BooleanField, serializers.DateTimeField)


class Shape(serializers.Serializer):
    """A request's body. Members it does not know are refused, so that a misspelt one is never lost quietly."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and (unknown := sorted(data.keys() - self._names)):
            raise ValidationError(
                {name: [ErrorDetail("This field is unknown here.", "unknown_field")] for name in unknown}
            )
        return data.copy() if self._is_taken_as_sent(data) else super().to_internal_value(data)

    def _is_taken_as_sent(self, data: Any) -> bool:
        """Whether DRF, asked at length, would find no fault and change nothing."""
        takers = self._takers
        return (
            isinstance(data, dict)
            and self._needed <= data.keys()
            and all(name in takers and takers[name](value) for name, value in data.items())
        )

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.fields)

    @cached_property
    def _needed(self) -> frozenset[str]:
        """The members that must be there, or that have a value when they are not."""
        return frozenset(
            name for name, field in self.fields.items() if field.required or field.default is not serializers.empty
        )

    @cached_property
    def _takers(self) -> dict[str, Callable[[Any], bool]]:
        return {
            name: field.takes
            for name, field in self.fields.items()
            if type(field) in PLAIN and field.source == name and not hasattr(self, f"validate_{name}")
        }


@cache
def reader_of(shape: type[serializers.Serializer]) -> serializers.Serializer:
    """Return what reads bodies of this shape, one for all requests: its fields cost more to make than to ask."""
    return shape()


class Nothing(Shape):
    """The body of an act that needs none."""


class Answer(serializers.Serializer):
    """An answer's body: every field is always there. The OpenAPI document calls `DomainAnswer` Domain.

    `volatile` are the fields that change without a request, or are shown once; an ETag does not depend on them.
    `has_etag` says that an object has one although it has no id: there is but one in its place.
    """

    volatile: ClassVar[frozenset[str]] = frozenset()
    has_etag: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        set_override(cls, "component_name", cls.__name__.removesuffix("Answer"))

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The same as DRF's own, without copying the fields for each answer and asking them anew for each row."""
        if isinstance(instance, Mapping):
            return super().to_representation(instance)
        how = _reading_of(type(self))
        shown = how.always | dict(zip(how.plain, how.columns(instance), strict=True))
        for name, read in self._others:
            shown[name] = read(instance)
        return shown

    @cached_property
    def _others(self) -> list[tuple[str, Read]]:
        return [(name, self._bound(name, read)) for name, read in _reading_of(type(self)).others]

    def _bound(self, name: str, read: Read | str | None) -> Read:
        if read is None:
            # An answer within this one reads the same context.
            return _by_field(self.fields[name])
        return getattr(self, read) if isinstance(read, str) else read


class Reading(NamedTuple):
    """How answers of one kind are read from a row. `always` has every field in its place, with a value where that is
    always the same; `columns` reads those of `plain` at once, which are as the row has them; of each of the `others`
    stands here a function of the row, the name of the answer's own method, or None where it asks its own field."""

    always: dict[str, Any]
    plain: tuple[str, ...]
    columns: Callable[[Any], tuple[Any, ...]]
    others: tuple[tuple[str, Read | str | None], ...]


@cache
def _reading_of(answer: type[Answer]) -> Reading:
    fields = list(answer()._readable_fields)
    plain = [field for field in fields if isinstance(field, AS_IT_IS)]
    same = [field for field in fields if isinstance(field, ObjectName)]
    others = [field for field in fields if field not in plain and field not in same]
    return Reading(
        {field.field_name: None for field in fields} | {field.field_name: field.name for field in same},
        tuple(field.field_name for field in plain),
        _columns([field.source for field in plain]),
        tuple((field.field_name, _reader(field)) for field in others),
    )


def _columns(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda row: tuple(attrgetter(name)(row) for name in names)


def _reader(field: serializers.Field) -> Read | str | None:
    """Return the shortest way from a row to what an answer says of it."""
    match field:
        case serializers.SerializerMethodField():
            return field.method_name
        case serializers.BaseSerializer():
            return None
    return _by_field(field)


def _by_field(field: serializers.Field) -> Read:
    """Return DRF's own way to read a field."""
    if field.source == "*":
        return field.to_representation
    return lambda row: None if (value := field.get_attribute(row)) is None else field.to_representation(value)


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

    def takes(self, data: Any) -> bool:
        """Whether this is surely taken, as it is."""
        fits = type(data) is str and len(data) <= self.max_length and data.isprintable()
        return fits and (data != "" or self.allow_blank)


class Base64(Text):
    """Bytes in a JSON string, in base64 (RFC 4648, 4)."""

    default_error_messages = {"invalid_base64": "This is not base64."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        set_override(self, "field", {"type": "string", "contentEncoding": "base64", "maxLength": self.max_length})

    def to_internal_value(self, data: Any) -> bytes:
        try:
            return base64.b64decode(super().to_internal_value(data), validate=True)
        except ValueError:
            self.fail("invalid_base64")


class Whole(serializers.IntegerField):
    """A JSON integer within a database column's range. "5", 5.0 and true are not."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_value", MAX_INTEGER)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data

    def takes(self, data: Any) -> bool:
        return type(data) is int and (self.min_value is None or self.min_value <= data) and data <= self.max_value


class Switch(serializers.BooleanField):
    """true or false, nothing that resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data

    def takes(self, data: Any) -> bool:
        return type(data) is bool


# Fields that know at a glance what they take (`takes`); what they do not, DRF decides with all its words.
PLAIN = (Text, Whole, Switch)


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
