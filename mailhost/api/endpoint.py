"""The base of every endpoint: who asks, for which tenant, and what they may send."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from mailhost.actor import Actor
from mailhost.api import rate_limits
from mailhost.api.changes import CHANGING, DRY_RUN, carry_out
from mailhost.api.deprecation import Deprecated
from mailhost.api.errors import InvalidParameter
from mailhost.api.etags import ETAG, etag_of
from mailhost.api.lists import Listing
from mailhost.api.pagination import CursorList
from mailhost.api.parsers import MergePatchParser, StrictJSONParser
from mailhost.api.serializers import reader_of
from mailhost.prepared import Prepared
from mailhost.scope import reset_scope, set_scope


class AlwaysJson(BaseContentNegotiation):
    """Answers JSON whatever is accepted (RFC 9110, 12.4.1 allows it): a client never gets a body of another kind."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """One URL. A method is answered only when `actions` says which permission it needs.

    `listing` is what GET may be asked when it answers a list, `filters` are further query parameters of GET,
    `options` those of the other methods beside `dry_run`. `body_names` turns an operation's argument into the body's
    member where the two differ. `shows` is the endpoint whose GET shows the object that this one changes (itself
    when it has a GET), for If-Match. `deprecated` are the methods that go out of use. The tenant's scope holds from
    the key's check until the answer is made, and is left on errors too.
    """

    actions: ClassVar[dict[str, str]] = {}
    listing: ClassVar[Listing | None] = None
    filters: ClassVar[frozenset[str]] = frozenset()
    options: ClassVar[frozenset[str]] = frozenset()
    body_names: ClassVar[dict[str, str]] = {}
    shows: ClassVar[type["Endpoint"] | None] = None
    deprecated: ClassVar[Mapping[str, Deprecated]] = {}
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @classmethod
    def as_view(cls, **options: Any):
        # A key, not a session, opens the API: no redirect to the sign-in page.
        return login_not_required(super().as_view(**options))

    def dispatch(self, request, *arguments: Any, **named: Any):
        token = set_scope(None)
        try:
            return super().dispatch(request, *arguments, **named)
        finally:
            reset_scope(token)

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if isinstance(request.user, Actor):
            self.quotas = rate_limits.count(request.user)
            rate_limits.refuse_too_many(self.quotas)

    def initial(self, request: Request, *arguments: Any, **named: Any) -> None:
        super().initial(request, *arguments, **named)
        actor = request._request.actor = request.user
        set_scope(actor.tenant_path, actor.domain_ids)
        structlog.contextvars.bind_contextvars(tenant_id=actor.tenant_id, key_id=actor.key_id)
        self._refuse_unknown_parameters(request)
        # WSGI names no length for a chunked body, and DRF would take it for none.
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            raise ParseError("Send the body with Content-Length.")
        if request.method in CHANGING:
            # DRF calls the handler by this name next.
            name = request.method.lower()
            setattr(self, name, partial(carry_out, self, getattr(self, name)))

    def lock(self, request: Request, *arguments: Any, **named: Any) -> None:
        """Take the lock that the change of the object takes first, so that If-Match holds until it is done."""

    def get_parsers(self) -> list[BaseParser]:
        parsers: list[BaseParser] = [StrictJSONParser()]
        return [*parsers, MergePatchParser()] if getattr(self.request, "method", "") == "PATCH" else parsers

    def finalize_response(self, request: Request, response, *arguments: Any, **named: Any):
        response = super().finalize_response(request, response, *arguments, **named)
        if ETAG not in response.headers and (etag := etag_of(response)):
            response.headers[ETAG] = etag
        for name, value in rate_limits.headers(getattr(self, "quotas", [])).items():
            response.headers[name] = value
        if going := self.deprecated.get(request.method):
            for name, value in going.headers.items():
                # A list has a Link of its own.
                response.headers[name] = ", ".join(filter(None, [response.headers.get(name), value]))
        # What a tenant may see is nobody else's, proxies included.
        response.headers["Cache-Control"] = "no-store"
        return response

    def body(self, shape: type[Serializer]) -> dict[str, Any]:
        """Return the request's body in this shape. Raises ValidationError: HTTP 422."""
        return reader_of(shape).run_validation(self.request.data)

    def page(
        self,
        rows: Callable[..., QuerySet] | QuerySet,
        answer: type[BaseSerializer],
        read: Callable[[Sequence[Any]], Sequence[Any]] | None = None,
        of: Mapping[str, Any] | None = None,
        whole: Prepared | None = None,
        **context: Any,
    ) -> Response:
        """Answer a page of `rows`, as `listing` has them. Best they are a function that returns the rows for the values
        in `of`, and for nothing else but these: its query is written once (`mailhost.prepared`). Where whole rows are
        costly to sort, they are keys, and `whole` has the rows (see there), or `read` returns those of one page. The
        answer's serializer reads `context`."""
        page = CursorList(self.request, self.listing)
        shown = page.read(rows, of or {}, whole)
        if read is not None:
            shown = read(shown)
        return page.answered(answer(shown, many=True, context=context).data)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        # A misspelt filter that were passed over would answer everything.
        for name, values in request.query_params.lists():
            if name not in self._known_parameters(request.method):
                raise InvalidParameter(name, "unknown_parameter", "This parameter is unknown here.")
            if len(values) > 1:
                raise InvalidParameter(name, "given_twice", "Give this parameter once.")

    def _known_parameters(self, method: str) -> frozenset[str]:
        if method in CHANGING:
            return self.options | {DRY_RUN}
        if self.listing is not None:
            return self.filters | self.listing.names | CursorList.parameters
        return self.filters


def created(answer: BaseSerializer, route: str) -> Response:
    """Answer 201 with the new object, and where it stands: `route` takes its id."""
    return Response(answer.data, status=201, headers={"Location": reverse(route, args=[answer.data["id"]])})


def gone() -> Response:
    """Answer 204: the object is no longer there."""
    return Response(status=204)
