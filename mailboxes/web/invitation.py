"""The page on which an invited person sets the password of their mailbox."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from mailboxes.addresses import display_address
from mailboxes.connection import connections
from mailboxes.forms import PasswordForm
from mailboxes.invitations import invited, invited_actor
from mailboxes.operations import change_password
from mailhost.web.forms import refusals, render_form

# Of the session: the token of the link that was opened.
OPENED = "mailbox_invitation"


@login_not_required
@never_cache
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The token leaves the address at once: browsers keep addresses, and referrers tell them."""
    request.session[OPENED] = token
    return redirect("mailbox-invitation-accept")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def accept(request: HttpRequest) -> HttpResponse:
    """Set the password; then show how to connect a mail program."""
    mailbox = invited(request.session.get(OPENED, ""))
    if mailbox is None:
        return render(request, "mailboxes/invitation_closed.html")
    request.brand = mailbox.tenant.brand
    shown = {"address": display_address(mailbox.email)}
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            actor = invited_actor(mailbox, address=request.META.get("REMOTE_ADDR", ""))
            change_password(actor, mailbox=mailbox, password=form.cleaned_data["password"])
            del request.session[OPENED]
            return render(request, "mailboxes/invitation_done.html", shown | {"connections": connections()})
    return render_form(request, "mailboxes/invitation.html", form, **shown)
