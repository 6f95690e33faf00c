"""Tells whoever began an import, on whichever page they are by then, that it has ended."""

from collections.abc import Callable, Iterable, Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from longwork.models import State
from mailboxes.models import Import
from mailhost.web.telling import with_toast

WATCHED = "watched_imports"
# Of one session; older ones are told by their own pages alone.
MOST_WATCHED = 5


def watch(request: HttpRequest, kept: Import) -> None:
    request.session[WATCHED] = [*request.session.get(WATCHED, []), kept.uid][-MOST_WATCHED:]


def forget(request: HttpRequest, uids: Iterable[str]) -> None:
    watched = request.session.get(WATCHED, [])
    left = [uid for uid in watched if uid not in set(uids)]
    if left != watched:
        request.session[WATCHED] = left


class ImportNotices:
    """Stands after the actor's middleware, in its scope. Only a session that watches an import asks the database.

    `request.watched_imports` says whether the page is to ask by itself for more (see `ended`).
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A part of a page that htmx fetches shows no messages.
        is_page = request.actor is not None and request.method == "GET" and "HX-Request" not in request.headers
        if is_page and request.session.get(WATCHED):
            told = list(_ended(request))
            for row in told:
                messages.add_message(request, _level(row), _sentence_with_link(row))
            forget(request, [row.uid for row in told])
            # The page of an import follows it by itself.
            request.watched_imports = any(_address(uid) != request.path for uid in request.session[WATCHED])
        return self.get_response(request)


@require_safe
def ended(request: HttpRequest) -> HttpResponse:
    """For the page that is open meanwhile: a toast for what has ended, and whether to ask again (204) or not."""
    row = next(_ended(request), None)
    if row is None:
        return HttpResponse(status=204 if request.session.get(WATCHED) else 200)
    forget(request, [row.uid])
    answer = HttpResponse(status=204 if request.session[WATCHED] else 200)
    tone = "ok" if row.work.state == State.SUCCEEDED else "problem"
    return with_toast(answer, _sentence(row), tone=tone, link=_address(row.uid), word=_("See what has come of it"))


def _ended(request: HttpRequest) -> Iterator[Import]:
    """Find what has ended of the session's imports; what nobody need be told any more is forgotten."""
    watched = request.session.get(WATCHED, [])
    rows = Import.objects.select_related("work").only("uid", "file_name", "work__state").filter(uid__in=watched)
    found = {row.uid: row for row in rows if row.work is not None}
    forget(request, [uid for uid in watched if uid not in found or found[uid].work.state == State.CANCELED])
    return (row for row in found.values() if row.work.state in {State.SUCCEEDED, State.FAILED})


def _address(uid: str) -> str:
    return reverse("import", args=[uid])


def _level(row: Import) -> int:
    return messages.SUCCESS if row.work.state == State.SUCCEEDED else messages.ERROR


def _sentence(row: Import) -> str:
    if row.work.state == State.SUCCEEDED:
        return _("The import of %(name)s has ended.") % {"name": row.file_name}
    return _("The import of %(name)s stopped before its end.") % {"name": row.file_name}


def _sentence_with_link(row: Import) -> str:
    return format_html('{} <a href="{}">{}</a>', _sentence(row), _address(row.uid), _("See what has come of it"))
