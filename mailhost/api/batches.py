"""Many objects in one request: `mode` says whether one that is refused stops the others."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from mailhost.api.errors import errors_of_input
from mailhost.api.schema import InputError
from mailhost.api.serializers import Answer, ObjectName, Shape, reader_of

MODES = [ATOMIC, PARTIAL] = ["atomic", "partial"]
MAX_ITEMS = 1000


class Item(serializers.Field):
    """One of many, of any JSON: `read_items` looks at it."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class Batch(Shape):
    """`atomic`: all or none. `partial`: those that can be taken. Subclasses say what the `items` are."""

    mode = serializers.ChoiceField(choices=MODES)
    items = serializers.ListField(child=Item(), min_length=1, max_length=MAX_ITEMS)


def answer_of(shown: type[Answer]) -> type[Answer]:
    """Return the shape of what a batch of these answers, for the document."""
    name = shown.__name__.removesuffix("Answer")
    result = type(
        f"{name}BatchResultAnswer",
        (Answer,),
        {
            "__doc__": "What became of one item: what was made, or null and the errors that it was refused for.",
            "status": serializers.IntegerField(help_text="201 or 422"),
            "object": shown(allow_null=True),
            "errors": InputError(many=True),
        },
    )
    fields = {
        "__doc__": "A result for each item, in the order of the items.",
        "object": ObjectName("batch"),
        "mode": serializers.ChoiceField(choices=MODES),
        "created": serializers.IntegerField(),
        "refused": serializers.IntegerField(),
        "data": result(many=True),
    }
    return type(f"{name}BatchAnswer", (Answer,), fields)


def read_items(items: list[Any], shape: type[Shape], *, is_atomic: bool) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the items that have this shape, and the errors of those that have not, by their place.

    Raises ValidationError with all errors when one must not be passed over.
    """
    child = reader_of(shape)
    good: dict[int, Any] = {}
    bad: dict[int, ValidationError] = {}
    for place, item in enumerate(items):
        try:
            good[place] = child.run_validation(item)
        except ValidationError as error:
            bad[place] = error
    if bad and is_atomic:
        raise ValidationError({"items": {str(place): error.detail for place, error in bad.items()}})
    return good, {place: errors_of_input(error) for place, error in bad.items()}


def answer(mode: str, shown: Mapping[int, Any], refused: Mapping[int, list[dict[str, str]]]) -> dict[str, Any]:
    """Return the answer, with a result for each item, in their order."""
    places = sorted([*shown, *refused])
    data = [
        {"status": 201, "object": shown[place], "errors": []}
        if place in shown
        else {"status": 422, "object": None, "errors": refused[place]}
        for place in places
    ]
    return {"object": "batch", "mode": mode, "created": len(shown), "refused": len(refused), "data": data}
