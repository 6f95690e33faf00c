"""Mail with a secret in it, composed by the worker, so that the outbox keeps none; and what happens by the clock."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import invitations
from accounts.actors import memberships_of
from accounts.models import Invitation, User
from accounts.resets import reset_link
from mailhost.mail import compose
from mailhost.scope import every_tenant
from tenants.brands import dress_of

FORGOTTEN_AT_ONCE = 500


def send_invitation(invitation_id: int, language: str = "") -> None:
    """Send the link of an open invitation, in the language of whoever invites where the invited is new.

    Raises SMTPException or OSError, and is then tried again."""
    with every_tenant("a task gets an id and no actor"):
        invitation = Invitation.objects.select_related("tenant__brand").filter(pk=invitation_id).first()
    if invitation is None or not invitation.is_open or invitation.has_expired(timezone.now()):
        return
    told = {"invitation": invitation, "link": invitations.link(invitation), "days": invitations.VALID.days}
    known = User.objects.filter(email=invitation.email).values_list("language", flat=True).first()
    dress = dress_of(invitation.tenant)
    compose("accounts/mail/invitation.txt", invitation.email, told, dress, language=known or language).send()


def send_password_reset(email: str, language: str = "") -> None:
    """Send the link that sets a new password, if somebody signs in with this address.

    Whoever asks gets the same answer in the same time: only this task looks. `language` is that of the page.
    Raises SMTPException or OSError.
    """
    user = (
        User.objects.filter(email=email, is_active=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).first()
    )
    if user is not None:
        tenants = [member.tenant for member in memberships_of(user)]
        dress = dress_of(tenants[0] if tenants else None)
        # The password opens every account of this person, so the link goes to a reseller's host only where all are its.
        is_of_one = len({tenant.brand_id for tenant in tenants}) == 1
        link = reset_link(user, dress.panel if is_of_one else settings.MAILHOST_URL)
        language = user.language or language
        compose("accounts/mail/password_reset.txt", user.email, {"link": link}, dress, language=language).send()


def forget_old_sessions() -> int:
    """Delete sessions whose time is over, of people and of visitors who opened a link; return how many. Nobody comes
    back to most of them, so nothing else would."""
    count, over = 0, Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    while keys := list(over.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        UserSession.objects.filter(session_key__in=keys).delete()
        count += Session.objects.filter(pk__in=keys).delete()[0]
    return count
