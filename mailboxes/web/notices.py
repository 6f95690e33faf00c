"""Tells whoever began an import, on whichever page they are by then, that it has ended."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from mailboxes.models import Import

WATCHED = "watched_imports"
# Of one session; older ones are told by their own pages alone.
MOST_WATCHED = 5


def watch(request: HttpRequest, kept: Import) -> None:
    request.session[WATCHED] = [*request.session.get(WATCHED, []), kept.uid][-MOST_WATCHED:]


class ImportNotices:
    """Stands after the actor's middleware, in its scope. Only a session that watches an import asks the database."""

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A part of a page that htmx fetches shows no messages.
        is_page = request.actor is not None and request.method == "GET" and "HX-Request" not in request.headers
        if is_page and (watched := request.session.get(WATCHED)):
            self._tell(request, watched)
        return self.get_response(request)

    def _tell(self, request: HttpRequest, watched: list[str]) -> None:
        rows = Import.objects.select_related("work").only("uid", "file_name", "work__state").filter(uid__in=watched)
        waiting = []
        for row in rows:
            if row.work is not None and not row.work.is_finished:
                waiting.append(row.uid)
            elif row.work is not None and request.path != reverse("import", args=[row.uid]):
                messages.success(request, _("The import of %(name)s has ended.") % {"name": row.file_name})
        if waiting != watched:
            request.session[WATCHED] = waiting
