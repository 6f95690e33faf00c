"""Every error of the API as problem+json (RFC 9457); nothing under /api/ ever answers HTML."""

import math
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.translation import gettext_noop
from rest_framework import exceptions
from rest_framework.response import Response

from mailhost.api.scopes import scope_of
from mailhost.errors import Busy, NotPermitted, Refused, SeveralRefused, Suspended
from mailhost.request_id import request_id

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
API_ROOT = "/api/"
RETRY_AFTER_SECONDS = 5

# code: (status, title). The codes are part of the contract: documented, never renamed. What a rule refused stands
# under `validation_failed`, with a code of its own in `errors`.
PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed_request": (400, "The request is malformed"),
    "invalid_parameter": (400, "A parameter of the query is not valid"),
    "not_authenticated": (401, "A valid API key is needed"),
    "not_permitted": (403, "This is not allowed"),
    "account_suspended": (403, "The account is suspended"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "request_in_flight": (409, "The same request is still being answered"),
    "precondition_failed": (412, "The object is not as expected"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body is not JSON"),
    "validation_failed": (422, "Some of the input cannot be accepted"),
    "idempotency_key_reused": (422, "The Idempotency-Key belongs to another request"),
    "rate_limited": (429, "Too many requests"),
    "internal_error": (500, "Something went wrong here"),
    "unavailable": (503, "The service is away for a moment"),
}
# Said on pages too, of long work that ended so.
NOT_FOUND = gettext_noop("Nothing is here, or it is not yours.")
NOT_PERMITTED = "Your role does not allow this."
NOT_AUTHENTICATED = "Send a valid key as `Authorization: Bearer mh_live_…`."
INTERNAL_ERROR = gettext_noop("The error is noted under this request_id. Trying again may help.")
IN_FLIGHT = "A request with this Idempotency-Key is on its way. Ask again in a moment."
REUSED = "This Idempotency-Key came with another request before. Give each request a key of its own."
UNAVAILABLE = "The database does not answer. Try again in a few seconds."


class InvalidParameter(Exception):
    """A query parameter is unknown or holds what it cannot."""

    def __init__(self, parameter: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.error = {"parameter": parameter, "code": code, "detail": detail}


class PreconditionFailed(Exception):
    """If-Match or If-None-Match does not hold."""


class Conflict(Exception):
    """The request with this Idempotency-Key has not been answered yet."""


class Reused(Exception):
    """This Idempotency-Key came with another request before."""


# What says all by its kind: (exceptions, code, the sentence; None for the error's own). The first that fits counts.
PLAIN: list[tuple[tuple[type[Exception], ...], str, str | None]] = [
    ((Suspended,), "account_suspended", None),
    ((Busy,), "unavailable", None),
    ((PermissionDenied, exceptions.PermissionDenied), "not_permitted", NOT_PERMITTED),
    ((Http404, ObjectDoesNotExist, exceptions.NotFound), "not_found", NOT_FOUND),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), "not_authenticated", NOT_AUTHENTICATED),
    ((exceptions.MethodNotAllowed,), "method_not_allowed", None),
    ((Conflict,), "request_in_flight", IN_FLIGHT),
    ((Reused,), "idempotency_key_reused", REUSED),
    ((PreconditionFailed,), "precondition_failed", None),
    ((exceptions.UnsupportedMediaType,), "unsupported_media_type", None),
    ((exceptions.Throttled,), "rate_limited", None),
    ((exceptions.ParseError,), "malformed_request", None),
    ((UnreadablePostError,), "malformed_request", "The body ended early."),
    ((RequestDataTooBig,), "body_too_large", f"A body has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."),
    # Lost connections, lock waits and deadlocks: the same request may succeed in a moment.
    ((OperationalError, InterfaceError), "unavailable", UNAVAILABLE),
]


def body(code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return a problem's members. `errors` names each input at fault."""
    status, title = PROBLEMS[code]
    members: dict[str, Any] = {
        "type": f"{settings.MAILHOST_URL}/api/docs#{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id(),
    }
    if errors:
        members["errors"] = errors
    return members


def answer(
    code: str, detail: str, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return a problem as the answer of an endpoint."""
    status, _ = PROBLEMS[code]
    return Response(body(code, detail, errors), status=status, headers=headers, content_type=MEDIA_TYPE)


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """Return the answer for what an endpoint raised (REST_FRAMEWORK["EXCEPTION_HANDLER"])."""
    for kinds, code, detail in PLAIN:
        if isinstance(error, kinds):
            return answer(code, detail or str(error), headers=headers_of(error))
    match error:
        case NotPermitted():
            message = f"Your key does not allow {error.action}, an act of the scope {scope_of(error.action)}."
            return answer("not_permitted", message)
        # Gone since the path was read.
        case Refused(code="not_found"):
            return answer("not_found", NOT_FOUND)
        case Refused() | exceptions.ValidationError():
            return _input_answer(error, context.get("view"))
        case InvalidParameter():
            return answer("invalid_parameter", str(error), [error.error])
    # Django's own handler would answer in HTML while DEBUG is on; its signal is what logs and the test client hear.
    got_request_exception.send(sender=None, request=context["request"]._request)
    return answer("internal_error", INTERNAL_ERROR)


def headers_of(error: Exception) -> dict[str, str]:
    """Return what the HTTP specification wants beside the status."""
    match error:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return {"WWW-Authenticate": 'Bearer realm="mailhost"'}
        case exceptions.Throttled():
            return {"Retry-After": str(math.ceil(error.wait or 1))}
        case Conflict():
            return {"Retry-After": "1"}
        case OperationalError() | InterfaceError() | Busy():
            return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def errors_of_input(error: Refused | exceptions.ValidationError, view: Any = None) -> list[dict[str, str]]:
    """Return what an operation or a serializer found at fault, with a pointer to each by the endpoint's names."""
    match error:
        case SeveralRefused():
            return [
                {**one, "pointer": f"#/{error.field}/{place}{one['pointer'][1:]}"}
                for place, refusal in sorted(error.refusals.items())
                for one in errors_of_input(refusal, view)
            ]
        case Refused():
            return [{"pointer": _pointer(error.field, view), "code": error.code, "detail": error.message}]
    return list(_flatten(error.get_full_details(), "#"))


def _input_answer(error: Refused | exceptions.ValidationError, view: Any) -> Response:
    errors = errors_of_input(error, view)
    return answer("validation_failed", detail_of(errors), errors)


def detail_of(errors: list[dict[str, str]]) -> str:
    """Return the one sentence for all that is at fault."""
    return errors[0]["detail"] if len(errors) == 1 else f"{len(errors)} fields need attention."


def _pointer(field: str, view: Any) -> str:
    """Return the JSON pointer of an operation's argument, under the name that the endpoint gives it."""
    if not field:
        return "#"
    first, *rest = field.split(".")
    names = getattr(view, "body_names", {})
    return "/".join(["#", names.get(first, first), *rest])


def _flatten(details: Any, pointer: str):
    """Walk a serializer's errors down to the leaves."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            below = pointer if name == "non_field_errors" else f"{pointer}/{_escaped(name)}"
            yield from _flatten(inner, below)
    else:
        for inner in details:
            yield from _flatten(inner, pointer)


def _escaped(name: Any) -> str:
    """Write a member's name as a step of a JSON pointer (RFC 6901, 3)."""
    return str(name).replace("~", "~0").replace("/", "~1")


# --- what Django answers before or beside an endpoint ------------------------------------------------------------


def plain_problem(code: str, detail: str) -> JsonResponse:
    """Return a problem where there is no endpoint."""
    members = body(code, detail)
    return JsonResponse(members, status=members["status"], content_type=MEDIA_TYPE)


def under_api(code: str, detail: str, page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return a handler for the URL map: a problem under /api/, `page` elsewhere."""

    def handle(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        if request.path.startswith(API_ROOT):
            return plain_problem(code, detail)
        return page(request, *arguments, **named)

    return handle
