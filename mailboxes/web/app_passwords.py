"""Pages about the app passwords of a mailbox; the list stands on the mailbox's own page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from mailboxes.addresses import display_address
from mailboxes.app_password_operations import create_app_password, revoke_app_password
from mailboxes.connection import connections
from mailboxes.forms import AppPasswordForm
from mailboxes.models import AppPassword, Mailbox
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs


@needs("app_passwords.create")
@never_cache
def add(request: HttpRequest, uid: str) -> HttpResponse:
    """The new password is shown in the answer itself, so that its text is stored nowhere."""
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    form = AppPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form, {"protocols": "imap", "expires_at": "expires_on"}):
            row, text = create_app_password(request.actor, mailbox=mailbox, **form.arguments())
            context = {"mailbox": mailbox, "row": row, "text": text, "connections": connections()}
            return render(request, "mailboxes/app_password_created.html", context, status=201)
    return render_form(request, "mailboxes/app_password_add.html", form, mailbox=mailbox)


@require_POST
def revoke(request: HttpRequest, uid: str) -> HttpResponse:
    rows = AppPassword.objects.filter(mailbox__deleted_at=None).select_related("mailbox")
    row = get_object_or_404(rows, uid=uid)
    with refusals_told(request):
        revoke_app_password(request.actor, app_password=row)
        shown = display_address(row.mailbox.email)
        fact = _("The app password %(name)s of %(address)s was revoked. It opens nothing any more.")
        messages.success(request, fact % {"name": row.name, "address": shown})
    return redirect("mailbox-app-passwords", row.mailbox.uid)
