"""The link of an invitation: made of its row and SECRET_KEY, so that it can be sent again and is stored nowhere."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Invitation
from mailhost.scope import every_tenant
from tenants.brands import panel_url

VALID = timedelta(days=7)


def token(invitation: Invitation, key: str | None = None) -> str:
    """Return the 256-bit secret of an invitation's link under SECRET_KEY, or under a former one."""
    text = f"{invitation.uid} {invitation.nonce} {invitation.email}"
    return salted_hmac("accounts.invitations", text, secret=key, algorithm="sha256").hexdigest()


def link(invitation: Invitation) -> str:
    """Return where an invitation, read with its tenant's brand, is taken up."""
    return panel_url(invitation.tenant.brand) + reverse("invitation", args=[invitation.uid, token(invitation)])


def find_invitation(uid: str, secret: str) -> Invitation | None:
    """Return the invitation that a link leads to, with its tenant; None when the link is not one of ours."""
    with every_tenant("who is invited has no tenant yet"):
        found = Invitation.objects.select_related("tenant").filter(uid=uid).first()
    if found is None:
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return found if any(constant_time_compare(token(found, key), secret) for key in keys) else None
