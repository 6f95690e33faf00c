"""Pages about the app passwords of a mailbox; the list stands on the mailbox's own page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from mailboxes.addresses import display_address
from mailboxes.app_password_operations import create_app_password, revoke_app_password
from mailboxes.connection import connections
from mailboxes.forms import AppPasswordForm
from mailboxes.models import AppPassword, Mailbox
from mailhost.web.forms import TypedForm, ask_name, refusals, render_form
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


@needs("app_passwords.revoke")
def revoke(request: HttpRequest, uid: str) -> HttpResponse:
    rows = AppPassword.objects.filter(mailbox__deleted_at=None).select_related("mailbox")
    row = get_object_or_404(rows, uid=uid)
    form = TypedForm(request.POST if request.method == "POST" else None, name=row.name)
    if form.is_valid():
        with refusals(form):
            revoke_app_password(request.actor, app_password=row)
            messages.success(request, told_revoked(row))
            return redirect("mailbox-app-passwords", row.mailbox.uid)
    return ask_to_revoke(request, form, row, back=reverse("mailbox-app-passwords", args=[row.mailbox.uid]))


def ask_to_revoke(request: HttpRequest, form: TypedForm, row: AppPassword, *, back: str, **context) -> HttpResponse:
    text = _("What signs in to %(address)s with the app password %(name)s is signed out, and needs a new one.")
    return ask_name(
        request,
        form,
        title=_("Revoke app password"),
        text=text % {"name": row.name, "address": display_address(row.mailbox.email)},
        act=_("Revoke app password"),
        back=back,
        **context,
    )


def told_revoked(row: AppPassword) -> str:
    fact = _("The app password %(name)s of %(address)s was revoked. It opens nothing any more.")
    return fact % {"name": row.name, "address": display_address(row.mailbox.email)}
