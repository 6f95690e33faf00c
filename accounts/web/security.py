"""The pages of a person's own ways in: password, second factors, sessions."""

from collections.abc import Callable
from functools import wraps

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.second_factor import is_asked_of
from accounts.ways_in import note
from mailhost.web.forms import UNPROCESSABLE

AS_ANOTHER = gettext_lazy(
    "While you are signed in as somebody else, no password, second factor or session can be changed."
)


def own_session(view: Callable) -> Callable:
    """The page is about the person behind the screen, so it is closed to one who acts as somebody else."""

    @wraps(view)
    def shown(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.impersonation is not None:
            raise PermissionDenied(AS_ANOTHER)
        return view(request, *args, **kwargs)

    return shown


@own_session
def overview(request: HttpRequest) -> HttpResponse:
    factors = list(Authenticator.objects.filter(user=request.user).order_by("pk"))
    of_type = {kind: [one.wrap() for one in factors if one.type == kind] for kind in Authenticator.Type}
    codes = of_type[Authenticator.Type.RECOVERY_CODES]
    context = {
        "app": next(iter(of_type[Authenticator.Type.TOTP]), None),
        "passkeys": of_type[Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].get_unused_codes()) if codes else None,
        "is_asked": any(is_asked_of(member) for member in request.memberships),
        "sessions": sessions_of(request),
    }
    return render(request, "accounts/security.html", context)


def sessions_of(request: HttpRequest) -> list[UserSession]:
    """Return where this person is signed in, newest use first, this session among them; what ran out is left out."""
    rows = list(UserSession.objects.filter(user=request.user).order_by("-last_seen_at", "-pk"))
    alive = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    keys = set(alive.values_list("session_key", flat=True))
    return [row for row in rows if row.session_key in keys]


class ConfirmWithPasskey(ReauthenticateWebAuthnView):
    """allauth's leads to the sign-in page when the passkey is not the right one; this one lets try again."""

    def form_invalid(self, form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(), status=UNPROCESSABLE)


def with_factor(kind: str) -> Callable:
    """Show the page to who has a second factor of this kind; others see what there is to set up."""

    def decorate(view: Callable) -> Callable:
        @wraps(view)
        def shown(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if not Authenticator.objects.filter(user=request.user, type=kind).exists():
                return redirect("mfa_index")
            return view(request, *args, **kwargs)

        return shown

    return decorate


@require_POST
@own_session
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    # Ending one's own session signs out.
    user = request.user
    row = get_object_or_404(UserSession.objects.filter(user=user), pk=number)
    end_sessions(request, [row])
    note(request, user, "session ended")
    messages.success(request, _("That session was ended."))
    return redirect("mfa_index")


@require_POST
@own_session
def end_others(request: HttpRequest) -> HttpResponse:
    end_other_sessions(request, request.user)
    note(request, request.user, "all other sessions ended")
    messages.success(request, _("You are signed out everywhere but here."))
    return redirect("mfa_index")
