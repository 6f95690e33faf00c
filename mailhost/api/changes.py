"""How a change is carried out: for real or as a rehearsal, once per Idempotency-Key, and only on what was read."""

from collections.abc import Callable
from functools import partial

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api import idempotency
from mailhost.api.errors import InvalidParameter, PreconditionFailed
from mailhost.api.etags import ETAG, etag_of, matches
from mailhost.operation import retried

DRY_RUN = "dry_run"
# Marks the answer of a rehearsal.
DRY_RUN_HEADER = "Dry-Run"
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def carry_out(endpoint, handler: Callable[..., Response], request: Request, *arguments, **named) -> Response:
    """Call the handler as the request's headers and parameters ask for.

    Raises PreconditionFailed, Conflict, Reused, InvalidParameter, ParseError, or what the handler raises.
    """
    response = _carried_out(endpoint, handler, request, *arguments, **named)
    # Who wants to wait for long work does so when it has been committed: before, no worker sees it.
    settle = getattr(response, "settle", None)
    return response if settle is None else settle()


def _carried_out(endpoint, handler: Callable[..., Response], request: Request, *arguments, **named) -> Response:
    act = partial(handler, request, *arguments, **named)
    if "If-Match" in request.headers or "If-None-Match" in request.headers:
        act = partial(_on_what_was_read, endpoint, act, request, *arguments, **named)
    name = idempotency.name_of(request) if request.method == "POST" else None
    if is_rehearsal(request):
        return rehearsed(act)
    if request.method == "PUT":
        # Making what is not there and changing it is one change.
        return retried(transaction.atomic(act))
    if name is not None:
        return idempotency.once(request, name, act)
    return act()


def is_dry_run(request: Request) -> bool:
    text = request.query_params.get(DRY_RUN, "false")
    if text not in {"true", "false"}:
        raise InvalidParameter(DRY_RUN, "invalid_choice", "Say true or false.")
    return text == "true"


def is_rehearsal(request: Request) -> bool:
    """Say whether nothing may happen: a dry run, or a test key."""
    return is_dry_run(request) or request.user.is_test


def rehearsed(act: Callable[[], Response]) -> Response:
    """Do it in a transaction that is rolled back, so that every rule and limit answers, and nothing is changed,
    queued or sent: background work is a row of the same transaction."""

    def attempt() -> Response:
        with transaction.atomic():
            response = act()
            transaction.set_rollback(True)
        return response

    response = retried(attempt)
    response.headers[DRY_RUN_HEADER] = "true"
    # What would have stood there was never made.
    del response.headers["Location"]
    response.settle = None
    return response


def _on_what_was_read(endpoint, act: Callable[[], Response], request: Request, *arguments, **named) -> Response:
    """Compare under the lock that the change takes, so that nobody changes the object in between."""

    def attempt() -> Response:
        with transaction.atomic():
            _refuse_stale(request, _present_etag(endpoint, request, *arguments, **named))
            return act()

    return retried(attempt)


def _present_etag(endpoint, request: Request, *arguments, **named) -> str | None:
    """Return the object's ETag, None when it is not there (which only PUT may find). Raises ParseError for what is
    no single object."""
    shows = endpoint.shows or type(endpoint)
    if shows.listing is not None or not hasattr(shows, "get"):
        raise ParseError("If-Match is for single objects.")
    try:
        endpoint.lock(request, *arguments, **named)
        return etag_of(shows(request=request).get(request, *arguments, **named))
    except ObjectDoesNotExist:
        if request.method != "PUT":
            raise
        return None


def _refuse_stale(request: Request, present: str | None) -> None:
    wanted = request.headers.get("If-Match")
    if wanted is not None and not matches(wanted, present):
        raise PreconditionFailed(f"The object is no longer as it was when its {ETAG} was read. Read it again.")
    unwanted = request.headers.get("If-None-Match")
    if unwanted is not None and matches(unwanted, present):
        raise PreconditionFailed("There is such an object already.")
