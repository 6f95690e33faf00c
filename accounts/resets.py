"""A forgotten password: asked for here, mailed by `accounts.tasks`."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import User
from mailhost.background import later

SEND = "accounts.tasks.send_password_reset"


def request_password_reset(email: str) -> None:
    """Have a link mailed to whoever signs in with this address, if anybody does. Nobody is acting yet, and nothing
    is changed, so this is no operation."""
    later(SEND, email=email.strip().lower(), language=get_language())


def reset_link(user: User, panel: str) -> str:
    """Return a link that works once, until the password, the last sign-in or PASSWORD_RESET_TIMEOUT changes it.

    It leads to `panel`, MAILHOST_URL or a brand's proven host: never to what the Host header of the one who asked says.
    """
    names = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return panel + reverse("account_reset_password_from_key", kwargs=names)
