"""What follows when django-allauth has changed a person's way in: other sessions end, and it is recorded."""

from allauth.account.signals import password_changed, password_reset
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from allauth.usersessions.models import UserSession
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.ways_in import note


@receiver(password_changed)
def after_change(request: HttpRequest, user: User, **_of_signal) -> None:
    # Their cookies are worthless by the new password's hash; now their rows are gone, too.
    end_other_sessions(request, user)
    note(request, user, "password changed")


@receiver(password_reset)
def after_reset(request: HttpRequest, user: User, **_of_signal) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()
    note(request, user, "password set by a mailed link")


@receiver(authenticator_added)
def after_adding(request: HttpRequest, user: User, authenticator, **_of_signal) -> None:
    note(request, user, f"{authenticator.type} added")


@receiver(authenticator_removed)
def after_removing(request: HttpRequest, user: User, authenticator, **_of_signal) -> None:
    note(request, user, f"{authenticator.type} removed")


@receiver(authenticator_reset)
def after_renewing(request: HttpRequest, user: User, authenticator, **_of_signal) -> None:
    note(request, user, f"{authenticator.type} made anew")
