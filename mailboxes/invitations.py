"""The link with which a person sets a mailbox's password. It opens once: setting the password makes it worthless."""

from datetime import timedelta

from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from mailboxes.models import Mailbox
from mailhost.actor import Actor
from mailhost.scope import every_tenant
from tenants.brands import panel_url

VALID = timedelta(days=7)
SALT = "mailboxes.invitations"
MAY = frozenset({"mailboxes.change_password"})


def link(mailbox: Mailbox) -> str:
    """Return the link for a mailbox, read with its tenant's brand, as it is now; nothing of it is stored."""
    token = signing.dumps([mailbox.uid, _state(mailbox)], salt=SALT)
    return panel_url(mailbox.tenant.brand) + reverse("mailbox-invitation", args=[token])


def invited(token: str) -> Mailbox | None:
    """Return the mailbox that a link is for, with its tenant; None when it is not ours, too old, or was used."""
    try:
        uid, state = signing.loads(token, salt=SALT, max_age=VALID)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    with every_tenant("who follows a link has no tenant"):
        mailbox = Mailbox.objects.live().select_related("domain", "tenant__brand").filter(uid=uid).first()
    return mailbox if mailbox is not None and _state(mailbox) == state else None


def invited_actor(mailbox: Mailbox, *, address: str) -> Actor:
    """Return who acts by the link: nobody that is known, for this one act."""
    return Actor(
        tenant_id=mailbox.tenant_id,
        tenant_path=mailbox.tenant.path,
        permissions=MAY,
        role="invitation",
        label=_("invitation of %(email)s") % {"email": mailbox.email},
        address=address,
    )


def _state(mailbox: Mailbox) -> str:
    """What a new password changes, without the hash: the link is readable to whoever has it."""
    return salted_hmac(SALT, mailbox.password_hash, algorithm="sha256").hexdigest()[:32]
