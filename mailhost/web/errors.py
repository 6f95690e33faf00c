"""Error pages in the panel's dress, with the id under which the log tells more."""

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from mailhost.request_id import request_id

log = structlog.get_logger(__name__)
RETRY_AFTER_SECONDS = 5


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(403, request, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(404, request)


def too_many(request: HttpRequest) -> HttpResponse:
    """django-allauth asks for this page when somebody is too fast."""
    return _page(429, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while the error is being handled. A database that does not answer is no fault of the page."""
    # A row that was read before anything failed: nothing is asked of the database for it.
    brand = getattr(request, "brand", None)
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        answer = _page(503, None, brand=brand)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    return _page(500, None, brand=brand)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF refused the form: mostly a page that stood open since before the last sign-in."""
    log.warning("csrf_refused", reason=reason)
    sentence = _("This page was open for too long, or the sign-in changed meanwhile. Go back, reload, and try again.")
    return _page(403, request, reason=sentence)


def _page(status: int, request: HttpRequest | None, **context) -> HttpResponse:
    """The pages of 500 and 503 get no request: no session, no person, no database stands behind it."""
    signed_in = request is not None and getattr(request, "actor", None) is not None
    context |= {"signed_in": signed_in, "impersonation": getattr(request, "impersonation", None)}
    # What the partials of a brand ask of a request, and no more.
    seen = {"brand": context.pop("brand", None) or getattr(request, "brand", None)}
    text = render_to_string(f"{status}.html", {**context, "request": seen, "request_id": request_id()})
    return HttpResponse(text, status=status)
