"""Error pages in the panel's dress, with the id under which the log tells more."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from mailhost.request_id import request_id

log = structlog.get_logger(__name__)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(403, request, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(404, request)


def too_many(request: HttpRequest) -> HttpResponse:
    """django-allauth asks for this page when somebody is too fast."""
    return _page(429, request)


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(500, None)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF refused the form: mostly a page that stood open since before the last sign-in."""
    log.warning("csrf_refused", reason=reason)
    sentence = "This page was open for too long, or the sign-in changed meanwhile. Go back, reload, and try again."
    return _page(403, request, reason=sentence)


def _page(status: int, request: HttpRequest | None, **context) -> HttpResponse:
    """The 500 page gets no request: no session, no person, no database stands behind it."""
    signed_in = request is not None and getattr(request, "actor", None) is not None
    context |= {"signed_in": signed_in, "impersonation": getattr(request, "impersonation", None)}
    text = render_to_string(f"{status}.html", {**context, "request_id": request_id()})
    return HttpResponse(text, status=status)
