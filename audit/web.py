"""Pages about what was done."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.export import FORMATS
from audit.forms import SearchForm
from audit.lines import line_of
from audit.models import Event
from mailhost.web.pages import needs
from mailhost.web.paging import page_of


@require_safe
@needs("audit.list")
def audit_log(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    rows = form.narrowed(Event.objects.listed())
    page = page_of(rows, ("-pk",), request.GET.get("cursor", ""))
    context = {
        "page": page,
        "lines": [line_of(event, request.actor) for event in page],
        "form": form,
        "shows_owner": any(event.tenant_id != request.actor.tenant_id for event in page),
        "asked": {name: request.GET[name] for name in form.fields if request.GET.get(name)},
    }
    return render(request, "audit/list.html", context)


@require_safe
@needs("audit.list")
def event(request: HttpRequest, uid: str) -> HttpResponse:
    row = get_object_or_404(Event.objects.listed(), uid=uid)
    return render(request, "audit/detail.html", {"line": line_of(row, request.actor), "event": row})


@require_safe
@needs("audit.list")
def export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    media_type, write = FORMATS[kind]
    rows = SearchForm(request.GET).narrowed(Event.objects.listed())
    name = f"audit-{timezone.now():%Y-%m-%d}.{kind}"
    return StreamingHttpResponse(
        write(request.actor, rows),
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
