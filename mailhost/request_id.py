"""The id of one request: in its answer, in every log line, in the background work it starts, in the audit record.

A caller may name it (`X-Request-Id`), so that its own log and ours can be read together; what has another shape is
replaced, never repeated.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The settings import this file.
    from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"
MAX_LENGTH = 64
SHAPE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{7,{MAX_LENGTH - 1}}}")

_current: ContextVar[str] = ContextVar("mailhost_request_id", default="")


def request_id() -> str:
    """Return the id of the request that this work belongs to, or "" for what nobody asked for over HTTP."""
    return _current.get()


def new_request_id() -> str:
    return f"req_{uuid.uuid4().hex}"


@contextmanager
def carrying(text: str) -> Iterator[None]:
    """Do what is inside under this id."""
    token = _current.set(text)
    try:
        yield
    finally:
        _current.reset(token)


def add_request_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Put the id on a log line (a structlog processor)."""
    if text := _current.get():
        event["request_id"] = text
    return event


class RequestIdMiddleware:
    """Gives the request its id and the answer the same. First of all, so that no answer leaves without one."""

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponse]") -> None:
        self.get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponse":
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        text = given if SHAPE.fullmatch(given) else new_request_id()
        # django-structlog reads it from here (DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID).
        request.META["HTTP_X_REQUEST_ID"] = text
        with carrying(text):
            response = self.get_response(request)
        response.headers[HEADER] = text
        return response
