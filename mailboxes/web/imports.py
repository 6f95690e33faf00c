"""Pages that take a table of mailboxes or aliases in: bring it, look at it, follow the work, read the report."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from longwork.models import error_here
from longwork.works import cancel
from mailboxes.forms import ImportForm, UsualSizeForm
from mailboxes.import_operations import begin_import, discard_import, keep_import, rows_of
from mailboxes.import_report import report_of
from mailboxes.import_table import ALIASES, MAILBOXES, read_table
from mailboxes.import_verdicts import REFUSED, verdicts_on
from mailboxes.models import Import
from mailboxes.web.notices import forget, watch
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.sizes import USUAL_MB

# What may be brought by whom.
NEEDS = {MAILBOXES: "mailboxes.create", ALIASES: "aliases.create"}
# Rows of a preview; the counts are of all.
MOST_SHOWN = 500
MOST_LISTED = 20
# The steps of an import, in their order.
UPLOAD, PREVIEW, IMPORT, DONE = range(4)


def index(request: HttpRequest) -> HttpResponse:
    """Bring a table: a file, or rows pasted."""
    kinds = [kind for kind, action in NEEDS.items() if request.actor.may(action)]
    if not kinds:
        raise PermissionDenied(_("Your role does not allow imports."))
    asked = request.GET.get("kind", "")
    initial = {"kind": asked if asked in kinds else kinds[0]}
    sent = request.method == "POST"
    form = ImportForm(kinds, request.POST if sent else None, request.FILES if sent else None, initial=initial)
    if form.is_valid():
        with refusals(form):
            table = read_table(form.content, form.cleaned_data["kind"])
            kept = keep_import(request.actor, table=table, file_name=form.file_name)
            return redirect("import", kept.uid)
    kept = Import.objects.filter(kind__in=kinds).select_related("work").defer("sealed_rows", "lines", "refused")
    latest = list(kept.exclude(work=None).order_by("-pk")[:MOST_LISTED])
    return render_form(request, "mailboxes/imports.html", form, latest=latest, steps=steps(UPLOAD))


def show(request: HttpRequest, uid: str) -> HttpResponse:
    """What would come of a table; then how far the work is; then what has come of it."""
    kept = found(request, uid)
    if kept.work is not None:
        if kept.work.is_finished:
            forget(request, [kept.uid])
        return render(request, "mailboxes/import_work.html", progress(kept))
    return render(request, "mailboxes/import_preview.html", preview(kept))


@require_POST
def start(request: HttpRequest, uid: str) -> HttpResponse:
    kept = found(request, uid)
    form = UsualSizeForm(request.POST)
    if kept.kind == MAILBOXES and not form.is_valid():
        return render(request, "mailboxes/import_preview.html", preview(kept) | {"form": form}, status=422)
    with refusals_told(request), transaction.atomic():
        usual_mb = form.cleaned_data["usual_quota_mb"] if kept.kind == MAILBOXES else 0
        begin_import(request.actor, kept=kept, usual_quota_mb=usual_mb)
        watch(request, kept)
    return redirect("import", kept.uid)


@require_POST
def discard(request: HttpRequest, uid: str) -> HttpResponse:
    """Forget a table before it is imported, or end the work on it."""
    kept = found(request, uid)
    with refusals_told(request):
        if kept.work is not None:
            cancel(request.actor, work=kept.work)
            messages.success(request, _("The import was stopped. What it had done stays."))
            return redirect("import", kept.uid)
        discard_import(kept)
        messages.success(request, _("%(name)s was not imported.") % {"name": kept.file_name})
    return redirect("imports")


@require_safe
def report(request: HttpRequest, uid: str) -> StreamingHttpResponse:
    kept = found(request, uid)
    return StreamingHttpResponse(
        report_of(kept),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{kept.uid}.csv"'},
    )


def found(request: HttpRequest, uid: str) -> Import:
    """Return the table that a page is about, if its kind may be brought by whoever asks: else 403, or 404."""
    if not any(request.actor.may(action) for action in NEEDS.values()):
        raise PermissionDenied(_("Your role does not allow imports."))
    kept = get_object_or_404(Import.objects.select_related("work"), uid=uid)
    if not request.actor.may(NEEDS[kept.kind]):
        raise PermissionDenied(_("Your role does not allow imports."))
    return kept


def steps(present: int) -> list[dict[str, str]]:
    """Return the way of an import for its stepper."""
    titles = (_("Upload"), _("Preview"), _("Import"))
    states = ["done"] * present + ["current"] + [""] * len(titles)
    return [{"title": title, "state": state} for title, state in zip(titles, states, strict=False)]


def preview(kept: Import) -> dict[str, Any]:
    wanted, refused = rows_of(kept)
    verdicts = [*refused, *verdicts_on(kept.kind, wanted)]
    # What is refused comes first: that is what somebody has to act on.
    verdicts.sort(key=lambda one: (one.outcome != REFUSED, one.line))
    counts = Counter(one.outcome for one in verdicts)
    return {
        "kept": kept,
        "steps": steps(PREVIEW),
        "verdicts": verdicts[:MOST_SHOWN],
        "left_out": max(0, len(verdicts) - MOST_SHOWN),
        "counts": counts,
        "has_something": counts.total() > counts[REFUSED],
        "form": UsualSizeForm(),
        "sizes": USUAL_MB,
    }


def progress(kept: Import) -> dict[str, Any]:
    work = kept.work
    addresses = dict(enumerate(kept.lines))
    errors = [
        {"line": addresses[error["row"]][0], "address": addresses[error["row"]][1], "why": error_here(error)}
        for error in work.errors[:MOST_SHOWN]
        if error["row"] in addresses
    ]
    shaped = [{"line": line, "address": address, "why": why} for line, address, why in kept.refusals[:MOST_SHOWN]]
    return {
        "kept": kept,
        "steps": steps(DONE if work.is_finished else IMPORT),
        "work": work,
        "result": work.result or {},
        "refusals": sorted(shaped + errors, key=lambda one: one["line"]),
        "refused_count": len({error["row"] for error in work.errors}) + len(kept.refused),
    }
