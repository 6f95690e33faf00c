"""The page that sends a test message and says when it has come."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from longwork.models import LongWork
from mailboxes.addresses import display_address
from mailboxes.forms import TrialForm
from mailboxes.models import Mailbox
from mailboxes.trial_operations import KIND, send_test_message
from mailhost.web.forms import refusals, render_form
from mailhost.web.pages import needs


@needs("mailboxes.send_test")
def send(request: HttpRequest) -> HttpResponse:
    """To the mailbox that `mailbox` names, without one to the newest."""
    rows = Mailbox.objects.live().select_related("domain")
    uid = request.GET.get("mailbox", "")
    # The column is ASCII: MariaDB answers an error when it is asked for other characters.
    named = rows.filter(uid=uid).first() if uid.isascii() else None
    first = named or rows.order_by("-pk").first()
    initial = {"mailbox": display_address(first.email)} if first else {}
    form = TrialForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        with refusals(form):
            _, work = send_test_message(request.actor, mailbox=form.found)
            return redirect("test-message-sent", work.uid)
    return render_form(request, "mailboxes/trial.html", form, has_mailbox=first is not None)


@require_safe
@needs("mailboxes.send_test")
def sent(request: HttpRequest, uid: str) -> HttpResponse:
    """How far it is; the page follows until there is nothing more to come."""
    work = get_object_or_404(LongWork.objects.seen_by(request.actor).filter(kind=KIND), uid=uid)
    result = work.result or {}
    sent_at, arrived_at = (parse_datetime(result.get(name, "")) for name in ("sent_at", "arrived_at"))
    context = {
        "work": work,
        "result": result,
        "arrived_at": arrived_at,
        "seconds": (arrived_at - sent_at).total_seconds() if arrived_at and sent_at else None,
    }
    return render(request, "mailboxes/trial_sent.html", context)
