"""What is done with many mailboxes at once, and how it is undone."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from mailboxes.batch_operations import (
    delete_mailboxes,
    restore_mailboxes,
    resume_mailboxes,
    set_quotas,
    suspend_mailboxes,
)
from mailboxes.batches import MAX_ITEMS
from mailboxes.forms import BulkForm, ListForm
from mailboxes.listing import all_of
from mailboxes.models import Mailbox
from mailboxes.sheet import sheet_of
from mailboxes.web.choices import chosen_domain, listed_keys
from mailhost.errors import Refused
from mailhost.web.forms import refusals_told
from mailhost.web.pages import go_back, needs
from mailhost.web.telling import tell

UNDO = "mailboxes_undo"
UNDO_SECONDS = 300


@dataclass(frozen=True)
class Act:
    """One thing to do with the selected: what does it, what takes it back, and what the page says then."""

    run: Callable[..., list[Mailbox]]
    undone_by: str
    said: Callable[[int], str]


ACTS = {
    "suspend": Act(
        suspend_mailboxes,
        "resume",
        lambda count: ngettext(
            "%(count)d mailbox was suspended. Its mail is kept.",
            "%(count)d mailboxes were suspended. Their mail is kept.",
            count,
        ),
    ),
    "resume": Act(
        resume_mailboxes,
        "suspend",
        lambda count: ngettext("%(count)d mailbox works again.", "%(count)d mailboxes work again.", count),
    ),
    "quota": Act(
        set_quotas,
        "quota",
        lambda count: ngettext(
            "%(count)d mailbox has its new size.", "%(count)d mailboxes have their new size.", count
        ),
    ),
    "delete": Act(
        delete_mailboxes,
        "restore",
        lambda count: ngettext(
            "%(count)d mailbox was moved to the bin.", "%(count)d mailboxes were moved to the bin.", count
        ),
    ),
    "restore": Act(
        restore_mailboxes,
        "delete",
        lambda count: ngettext(
            "%(count)d mailbox was restored with its mail.", "%(count)d mailboxes were restored with their mail.", count
        ),
    ),
}
BULK_ACTIONS = frozenset(act.run.action for act in ACTS.values())


@require_POST
@needs("mailboxes.list")
def act(request: HttpRequest) -> HttpResponse:
    """Do one thing with the selected mailboxes, or with all that the list shows."""
    name = request.POST.get("act", "")
    if name == "export":
        return download(Mailbox.objects.listed().filter(uid__in=_uids(request)))
    with refusals_told(request):
        if name not in ACTS:
            raise Refused("invalid_choice", "act", _("Choose what to do with the selected mailboxes."))
        before = _selected(request, is_deleted=name == "restore")
        arguments = {"storage_quota_mb": _size(request)} if name == "quota" else {}
        changed = ACTS[name].run(request.actor, mailboxes=before, **arguments)
        request.session[UNDO] = _undo(name, changed, before)
        tell(request, _said(name, len(changed)), undo=reverse("mailbox-undo"))
    return go_back(request, "mailboxes")


@require_POST
@needs("mailboxes.list")
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last act back, with what was before: a size of each."""
    last = request.session.get(UNDO)
    with refusals_told(request), transaction.atomic():
        if last is None or not is_fresh(last):
            raise Refused("unchanged", "", _("There is nothing left to undo."))
        rows = {row.uid: row for row in Mailbox.objects.filter(uid__in=last["mailboxes"])}
        changed = 0
        for size, uids in last["sizes"] or [(None, last["mailboxes"])]:
            arguments = {} if size is None else {"storage_quota_mb": size}
            some = [rows[uid] for uid in uids if uid in rows]
            changed += len(ACTS[last["act"]].run(request.actor, mailboxes=some, **arguments))
        del request.session[UNDO]
        messages.success(request, _said(last["act"], changed))
    return go_back(request, "mailboxes")


@require_safe
@needs("mailboxes.list")
def export(request: HttpRequest) -> StreamingHttpResponse:
    """All mailboxes that the list shows, as CSV that an import takes again."""
    form = ListForm(request.GET)
    rows = form.narrowed(Mailbox.objects.listed().filter(is_live=1))
    domain = chosen_domain(request)
    return download(rows.filter(domain=domain) if domain else rows)


def download(rows: Any) -> StreamingHttpResponse:
    name = f"mailboxes-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        sheet_of(all_of(rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def is_fresh(last: dict[str, Any]) -> bool:
    return time.time() - last["at"] < UNDO_SECONDS


def _selected(request: HttpRequest, *, is_deleted: bool) -> list[Mailbox]:
    """Return the mailboxes that the form names. Raises Refused when it names none, or too many."""
    rows = Mailbox.objects.deleted() if is_deleted else Mailbox.objects.live()
    if request.POST.get("every") and not is_deleted:
        keys = list(listed_keys(ListForm(request.POST), chosen_domain(request)).order_by()[: MAX_ITEMS + 1])
        found = list(rows.filter(pk__in=[key["pk"] for key in keys[:MAX_ITEMS]]))
        if len(keys) > MAX_ITEMS:
            message = _("More than %(most)d mailboxes match. Narrow the list first.") % {"most": MAX_ITEMS}
            raise Refused("too_many_items", "mailboxes", message)
    else:
        found = list(rows.filter(uid__in=_uids(request)))
    if not found:
        raise Refused("required", "mailboxes", _("Select at least one mailbox."))
    return found


def _uids(request: HttpRequest) -> list[str]:
    # The column is ASCII: MariaDB answers an error when it is asked for other characters.
    return [uid for uid in request.POST.getlist("mailbox")[: MAX_ITEMS + 1] if uid.isascii()]


def _size(request: HttpRequest) -> int:
    form = BulkForm(request.POST)
    form.is_valid()
    size = form.cleaned_data.get("storage_quota_mb")
    if size is None:
        fault = next(iter(form.errors.get("storage_quota_mb", [])), _("Enter a size."))
        raise Refused("invalid_quota", "storage_quota_mb", str(fault))
    return size


def _undo(name: str, changed: list[Mailbox], before: Iterable[Mailbox]) -> dict[str, Any]:
    """Return what a session keeps so that the act can be taken back."""
    uids = {row.uid for row in changed}
    sizes: dict[int, list[str]] = {}
    if name == "quota":
        for row in before:
            if row.uid in uids:
                sizes.setdefault(row.storage_quota, []).append(row.uid)
    return {
        "act": ACTS[name].undone_by,
        "mailboxes": sorted(uids),
        "sizes": sorted(sizes.items()),
        "at": int(time.time()),
    }


def _said(name: str, count: int) -> str:
    return ACTS[name].said(count) % {"count": count}
