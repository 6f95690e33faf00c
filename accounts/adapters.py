"""What django-allauth asks us: who gets in, what people are told, how secrets are kept."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import attempts, sealing
from accounts.freshness import is_fresh
from accounts.models import User
from accounts.second_factor import must_keep
from mailhost.mail import send_later
from tenants.brands import dress_of

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - of a client on a Unix socket
TOO_MANY = "too_many_login_attempts"


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by address and password under the limits of `accounts.attempts`; notices by the outbox."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # One sentence for an unknown address, a wrong password and a closed account.
        "email_password_mismatch": _(
            "The address and the password do not match. Check both; upper and lower case matter in the password."
        ),
        "incorrect_password": _("This is not your password. Upper and lower case matter."),
        "enter_current_password": _("This is not your present password. Upper and lower case matter."),
        TOO_MANY: _("Too many attempts. Wait a few minutes, then try again."),
        "rate_limited": _("Too many attempts. Wait a few minutes, then try again."),
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        account, address = credentials["email"].strip().lower(), self.get_client_ip(request)
        if until := attempts.closed_until(address, account):
            raise ValidationError(attempts.wait_until(until), code=TOO_MANY)
        user = authenticate(request, username=account, password=credentials["password"])
        if user is None:
            attempts.note_failure(address, account)
        else:
            attempts.note_success(address, account)
        return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """`mailhost.proxies` has set it: no header counts that our own proxy did not write."""
        return request.META.get("REMOTE_ADDR") or UNKNOWN_ADDRESS

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect(f"{reverse('account_login')}?closed=1")

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Whoever has just signed in is not asked again."""
        return not is_fresh(context.request)

    def send_mail(self, template_prefix: str, email: str, told: dict) -> None:
        """allauth's notices, in our words; `template_prefix` is "account/email/password_changed" and the like."""
        memberships = getattr(context.request, "memberships", [])
        dress = dress_of(memberships[0].tenant if memberships else None)
        told = {"email": email, "at": timezone.now(), **told}
        # Whoever acts here is told, in the language of the page.
        send_later(f"{template_prefix}.txt", email, told, dress, language=get_language())


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: sealed in the database, and kept where a role or a tenant asks for one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right, or was used before. Enter the one that is shown now."),
        "cannot_delete_authenticator": (
            _("Your role must have a second factor. Add another one first; then this one can be removed.")
        ),
    }

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text)

    def can_delete_authenticator(self, authenticator) -> bool:
        return not must_keep(authenticator)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth's name
        return "Passkey"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the panel's host name (WebAuthn L2, 5.4.2); a browser checks that it is on it."""
        name = urlsplit(settings.MAILHOST_URL).hostname if settings.HTTPS else context.request.get_host()
        return {"id": str(name).partition(":")[0], "name": "Mailhost"}

    def get_public_key_credential_user_entity(self, user: User) -> dict:
        return {**super().get_public_key_credential_user_entity(user), "display_name": user.name or user.email}

    def _get_site_name(self) -> str:
        return "Mailhost"
