"""Turns a session into an actor, and enters its tenant before any view runs."""

import time
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actors import actor_of_member, memberships_of, why_closed
from accounts.impersonations import SESSION_KEY as IMPERSONATION
from accounts.impersonations import actor_as_another
from accounts.second_factor import is_lacked_by
from mailhost.actor import Actor
from mailhost.scope import reset_scope, set_scope
from tenants.models import Member

# The session names the tenant that its person has switched to, by uid.
CHOSEN = "tenant"
SEEN_AT = "seen_at"
# When a session was last used is shown; a write for each request would cost more than it tells.
SEEN_STEP_SECONDS = 5 * 60

# The API is opened by keys, the site of mailbox users by sessions of their own.
NOT_THE_PANEL = ("/api/", "/mailbox/", "/healthz", "/readyz", "/brand/")
# Where one gets who has yet to set up a second factor.
OPEN_WITHOUT = ("/security/", "/confirm/", "/switch/", "/sign-out/")


class ActorMiddleware:
    """Sets `request.actor` and the scope for the length of the request.

    The API authenticates by key in its own views and enters the scope there. A person without a tenant that may
    sign in is signed out, with the reason on the sign-in page; one who must have a second factor and has none
    gets no further than to the page that sets one up.
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor, request.memberships, request.impersonation = None, [], None
        # No session opens these, and their answers must not depend on one.
        if request.path.startswith(NOT_THE_PANEL) or not request.user.is_authenticated:
            return self.get_response(request)
        request.memberships = memberships_of(request.user)
        if not request.memberships:
            return shut_out(request)
        member = chosen(request)
        request.own_actor = actor_of_member(member, request.user, address=request.META.get("REMOTE_ADDR", ""))
        request.actor = as_another(request) or request.own_actor
        # Inside, the account decides under whose name it is; outside, the host name did (tenants.hosts).
        request.brand = member.tenant.brand
        note_seen(request)
        if lacks_second_factor(request, member):
            messages.warning(
                request, _("%(name)s asks for a second factor. Set one up to go on.") % {"name": member.tenant.name}
            )
            return redirect("mfa_index")
        token = set_scope(request.actor.tenant_path)
        try:
            response = self.get_response(request)
        finally:
            reset_scope(token)
        # After signing out, the browser's back button must not bring a page of the tenant's back.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def shut_out(request: HttpRequest) -> HttpResponse:
    """End the session of a person who has no tenant that may sign in. The reasons wait in a signed cookie: on the
    sign-in page this person alone reads them."""
    reasons = why_closed(request.user)
    request.session.flush()
    for reason in reasons:
        messages.warning(request, reason)
    return redirect(reverse("account_login") + ("" if reasons else "?closed=1"))


def chosen(request: HttpRequest) -> Member:
    """Return the membership that the session works in: the one switched to while it lasts, else the oldest."""
    uid = request.session.get(CHOSEN)
    return next((one for one in request.memberships if one.tenant.uid == uid), request.memberships[0])


def as_another(request: HttpRequest) -> Actor | None:
    """Return whom the session acts as, if it does so at present."""
    if IMPERSONATION not in request.session:
        return None
    found = actor_as_another(request.own_actor, request.session[IMPERSONATION], timezone.now())
    if found is None:
        del request.session[IMPERSONATION]
        messages.warning(request, _("Your time as somebody else is over. You are yourself again."))
        return None
    request.impersonation, actor = found
    return actor


def lacks_second_factor(request: HttpRequest, member: Member) -> bool:
    return not request.path.startswith(OPEN_WITHOUT) and is_lacked_by(member)


def note_seen(request: HttpRequest) -> None:
    now = time.time()
    if now - request.session.get(SEEN_AT, 0) < SEEN_STEP_SECONDS:
        return
    request.session[SEEN_AT] = int(now)
    UserSession.objects.filter(session_key=request.session.session_key, user=request.user).update(
        last_seen_at=timezone.now(), ip=get_adapter().get_client_ip(request)
    )
