"""Pages about setting up a device: for the mailbox's user, for who cares for it, and behind a one-time link."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clientsetup.apple import signed_profile
from clientsetup.documents import profile_download
from clientsetup.links import link_of
from clientsetup.operations import create_profile_link, find_profile_link, profile_with_password, use_profile_link
from mailboxes.addresses import display_address
from mailboxes.connection import connections
from mailboxes.models import Mailbox
from mailhost.errors import Refused
from mailhost.scope import tenant_scope
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs
from selfservice.models import MailboxSession
from selfservice.operations import mailbox_user
from selfservice.web import source, with_mailbox

# Of the session: the token of the link that was opened.
OPENED = "profile_link"


@require_safe
@needs("mailboxes.list")
def devices(request: HttpRequest, uid: str) -> HttpResponse:
    """How a device is set up for one mailbox."""
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    return render(request, "clientsetup/devices.html", shown(mailbox))


@require_POST
@never_cache
@needs(create_profile_link.action)
def make_link(request: HttpRequest, uid: str) -> HttpResponse:
    """The link is shown in the answer itself, so that its text is stored nowhere."""
    mailbox = get_object_or_404(Mailbox.objects.live(), uid=uid)
    with refusals_told(request):
        _row, token = create_profile_link(request.actor, mailbox=mailbox, now=timezone.now())
        context = shown(mailbox) | {"link": link_of(token)}
        return render(request, "clientsetup/devices.html", context, status=201)
    return redirect("mailbox-devices", mailbox.uid)


@require_safe
@with_mailbox
def own_devices(request: HttpRequest) -> HttpResponse:
    session = request.mailbox_session
    return render(request, "clientsetup/own_devices.html", {"session": session, **shown(session.mailbox)})


@require_POST
@with_mailbox
def own_profile(request: HttpRequest) -> HttpResponse:
    """The profile of the mailbox that is signed in; with a new app password when its user asks for one."""
    session: MailboxSession = request.mailbox_session
    mailbox = session.mailbox
    if "password" not in request.POST:
        with tenant_scope(mailbox.domain.tenant.path):
            return profile_download(signed_profile(mailbox.email, mailbox.domain))
    try:
        return profile_download(profile_with_password(mailbox_user(mailbox, source(request)), mailbox))
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("mailbox-own-devices")


@login_not_required
@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The token leaves the address at once: browsers keep addresses, and referrers tell them."""
    request.session[OPENED] = token
    return redirect("profile-link")


@login_not_required
@never_cache
def profile_link(request: HttpRequest) -> HttpResponse:
    """Say whose device is set up; the button makes the password. Programs that only look at links use up nothing."""
    token = request.session.get(OPENED, "")
    link = find_profile_link(token, timezone.now())
    if link is None:
        return render(request, "clientsetup/link_closed.html")
    if request.method == "POST":
        try:
            profile = use_profile_link(token, timezone.now())
        except Refused as refused:
            return render(request, "clientsetup/link_closed.html", {"reason": refused.message})
        del request.session[OPENED]
        return profile_download(profile)
    return render(request, "clientsetup/link.html", {"address": display_address(link.mailbox.email)})


def shown(mailbox: Mailbox) -> dict:
    return {"mailbox": mailbox, "address": display_address(mailbox.email), "connections": connections()}
