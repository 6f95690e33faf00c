"""What the OpenAPI document says of every endpoint alike: answers, errors, the key."""

from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers

from mailhost.api.changes import CHANGING, DRY_RUN
from mailhost.api.errors import MEDIA_TYPE, PROBLEMS
from mailhost.api.idempotency import HEADER as IDEMPOTENCY
from mailhost.api.models import MAX_NAME
from mailhost.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, TOTAL
from mailhost.api.permissions import ANY_ACTOR
from mailhost.api.rules import RULES, described
from mailhost.api.scopes import RESOURCES, scope_of
from mailhost.api.serializers import Answer, ObjectName

JSON = "application/json"
EVERY_ENDPOINT = (400, 401, 403, 429, 500, 503)
OF_CHANGES = (409, 412, 413, 415, 422)
LIST_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="How many at most.",
    ),
    OpenApiParameter("after", str, description="The `next_cursor` of the page before."),
    OpenApiParameter(
        "include", {"type": "string", "enum": [TOTAL]}, description="`total`: count all that the list has."
    ),
]
DRY_RUN_PARAMETER = OpenApiParameter(
    DRY_RUN,
    {"type": "boolean", "default": False},
    description="Answer what would happen, limits included, and change nothing.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Only when the object still has this `ETag`; else 412."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    IDEMPOTENCY,
    {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
    OpenApiParameter.HEADER,
    description="Sent again with the same key within 24 hours, the request is answered again and not done again.",
)
# By name, because it stands above this app.
OPERATION = "longwork.api.OperationAnswer"
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`respond-async`: answer 202 with an operation; with `wait=N` the answer waits so many seconds, at "
    "most 10, and is the usual one if all is done by then.",
)


# As a choice of these or any other text: within v1 more codes may come, and clients must not fail over one.
RULE_CODE = {
    "anyOf": [{"type": "string", "enum": list(RULES)}, {"type": "string"}],
    "description": f"What is at fault. More may come.\n\n{described()}",
}


@extend_schema_field(RULE_CODE)
class RuleCode(serializers.CharField):
    """A class of its own, because the description is the class's: of CharField it would be every text's."""


class InputError(Answer):
    """One input at fault: `pointer` into the body (RFC 6901), or the name of the query `parameter`."""

    pointer = serializers.CharField(required=False)
    parameter = serializers.CharField(required=False)
    code = RuleCode()
    detail = serializers.CharField()


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.ChoiceField(choices=[(code, title) for code, (_, title) in PROBLEMS.items()])
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = InputError(many=True, required=False)


def describe(
    operation_id: str,
    summary: str,
    *,
    answer: Any = None,
    status: int = 200,
    also: int | None = None,
    body: Any = None,
    kind: str = JSON,
    filters: list[OpenApiParameter] | None = None,
    names_object: bool = False,
    lists: bool = False,
    changes: bool = False,
    refuses: bool = False,
    long: bool = False,
):
    """Describe a method of an endpoint. `also`: one more status with this answer; `kind`: the answer's, where it is
    not JSON; `lists`: it answers a page of `answer`; `changes`: it calls an operation; `refuses`: a rule may refuse
    what is asked, without any change; `long`: it may be done as an operation; `names_object`: its
    path may name what is not there."""
    problems = (
        *EVERY_ENDPOINT,
        *((404,) if names_object else ()),
        *(OF_CHANGES if changes else (422,) if refuses else ()),
    )
    shown = _list_of(answer) if lists else answer
    responses: dict[Any, Any] = {(status, kind) if shown else status: shown}
    if also is not None:
        responses[(also, kind)] = shown
    if long:
        responses[(202, JSON)] = import_string(OPERATION)
    for one in sorted(problems):
        responses[(one, MEDIA_TYPE)] = OpenApiResponse(Problem, description=_title(one))
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=body,
        responses=responses,
        parameters=[*(LIST_PARAMETERS if lists else []), *(filters or []), *([PREFER] if long else [])],
        filters=False,
    )


class EndpointSchema(AutoSchema):
    """What follows from the endpoint and the method alone (REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"])."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        if self.method not in CHANGING:
            listing = getattr(self.view, "listing", None)
            return listing.parameters if listing else []
        conditions = [IF_MATCH] if self._is_about_one_object() else []
        return [DRY_RUN_PARAMETER, *([IDEMPOTENCY_KEY] if self.method == "POST" else []), *conditions]

    def get_description(self) -> str:
        """Say of an endpoint what it says itself; how endpoints are written says its base."""
        return super().get_description() if vars(type(self.view)).get("__doc__") else ""

    def is_deprecated(self) -> bool:
        return self.method in self.view.deprecated

    def get_operation(self, path, path_regex, path_prefix, method, registry):
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation and method != "POST":
            operation["responses"].pop("409", None)
        if operation and not self._is_about_one_object():
            operation["responses"].pop("412", None)
        return operation

    def _is_about_one_object(self) -> bool:
        shown = self.view.shows or type(self.view)
        return shown.listing is None and hasattr(shown, "get")


def _list_of(answer: type[Answer]) -> serializers.Serializer:
    name = answer.__name__.removesuffix("Answer")
    return inline_serializer(
        f"{name}List",
        {
            "object": ObjectName("list"),
            "data": answer(many=True),
            "has_more": serializers.BooleanField(),
            "next_cursor": serializers.CharField(allow_null=True),
            "total": serializers.IntegerField(required=False, help_text="With `include=total`."),
        },
    )


def _title(status: int) -> str:
    return " / ".join(title for known, title in PROBLEMS.values() if known == status)


class BearerKey(OpenApiAuthenticationExtension):
    target_class = "accounts.api_keys.ApiKeyAuthentication"
    name = "api_key"

    def get_security_definition(self, auto_schema):
        scopes = "\n".join(f"- `{resource}:read`, `{resource}:write`: {what}" for resource, what in RESOURCES.items())
        return {
            "type": "http",
            "scheme": "bearer",
            "description": f"An API key: `mh_live_…`, or `mh_test_…`, which changes nothing. Its scopes:\n\n{scopes}",
        }

    def get_security_requirement(self, auto_schema):
        """Name the scope that the method needs."""
        action = auto_schema.view.actions.get(auto_schema.method, ANY_ACTOR)
        return {self.name: [scope_of(action)] if action else []}


class ClosedShape(OpenApiSerializerExtension):
    """A request's body takes no member beyond those named."""

    target_class = "mailhost.api.serializers.Shape"
    match_subclasses = True

    def map_serializer(self, auto_schema, direction):
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


def without_marks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Take drf-spectacular's own marks out of the document (SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"])."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(inner) for name, inner in value.items() if name != "x-spec-enum-id"}
        return [clean(inner) for inner in value] if isinstance(value, list) else value

    return clean(result)


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document. It is the same for everybody, and made once per process."""
    return SchemaGenerator().get_schema(request=None, public=True)
