"""The page that an invitation's link leads to."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.actors import invited_actor
from accounts.forms import AcceptForm
from accounts.invitation_operations import accept_invitation
from accounts.invitations import find_invitation
from accounts.middleware import CHOSEN
from accounts.models import Invitation, User
from mailhost.web.forms import refusals, refusals_told, render_form

# Of the session: the uid and the secret of the link that was opened.
OPENED = "invitation"


@login_not_required
@never_cache
def opened(request: HttpRequest, uid: str, secret: str) -> HttpResponse:
    """The link's secret leaves the address at once: browsers keep addresses, and referrers tell them."""
    request.session[OPENED] = [uid, secret]
    return redirect("invitation-accept")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def accept(request: HttpRequest) -> HttpResponse:
    """Take it up: a new person chooses a password, one who has an account signs in and says yes."""
    found = find_invitation(*request.session.get(OPENED, ("", "")))
    if found is None or not found.is_open or found.has_expired(timezone.now()):
        return render(request, "accounts/invitation_closed.html")
    if request.user.is_authenticated:
        return accept_as_oneself(request, found)
    if User.objects.filter(email=found.email).exists():
        return render(request, "accounts/invitation_sign_in.html", {"invitation": found})
    return accept_as_new(request, found)


def accept_as_oneself(request: HttpRequest, found: Invitation) -> HttpResponse:
    if request.method == "POST":
        with refusals_told(request):
            accept_invitation(acting(request, found), invitation=found, user=request.user)
            return welcome(request, found)
    return render(request, "accounts/invitation_yes.html", {"invitation": found})


def accept_as_new(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = AcceptForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            member = accept_invitation(acting(request, found), invitation=found, **form.cleaned_data)
            record_authentication(request, member.user, method="password")
            answer = perform_login(request, Login(user=member.user, email=found.email))
            welcome(request, found)
            return answer
    return render_form(request, "accounts/invitation_new.html", form, invitation=found)


def acting(request: HttpRequest, found: Invitation):
    return invited_actor(found, address=request.META.get("REMOTE_ADDR", ""))


def welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    request.session.pop(OPENED, None)
    request.session[CHOSEN] = found.tenant.uid
    messages.success(request, _("Welcome to %(name)s.") % {"name": found.tenant.name})
    return redirect("home")
