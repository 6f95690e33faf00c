"""Links to profiles with a password in them: made by who cares for the mailbox, used once by its user."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from accounts.actors import system_actor
from clientsetup.apple import signed_profile
from clientsetup.models import ProfileLink
from mailboxes.app_password_operations import create_app_password
from mailboxes.models import Mailbox
from mailboxes.operations import locked_mailbox
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant, tenant_scope
from selfservice.sessions import is_open

HOLDS = timedelta(hours=1)
# What a device that is set up so does with its password.
PROTOCOLS = ("imap", "smtp")
NAME = "Apple device"


@operation("app_passwords.create_profile_link")
def create_profile_link(actor: Actor, *, mailbox: Mailbox, now: datetime) -> tuple[ProfileLink, str]:
    """Return a link of an hour to a profile with a new app password, and its secret part, shown once.

    The former links of the mailbox end. Raises Refused: not_found, closed.
    """
    mailbox = locked_mailbox(actor, mailbox)
    if not is_open(mailbox):
        raise Refused("closed", "", gettext("This mailbox is switched off, so no device can be set up."))
    ProfileLink.objects.filter(mailbox=mailbox, used_at=None).delete()
    token = secrets.token_urlsafe(32)
    return ProfileLink.objects.create(mailbox=mailbox, digest=digest(token), expires_at=now + HOLDS), token


def find_profile_link(token: str, now: datetime) -> ProfileLink | None:
    """Return the link of this secret while it holds and its mailbox is open."""
    with every_tenant("a link to a profile is used before its tenant is known"):
        rows = ProfileLink.objects.select_related("mailbox__domain__tenant", "mailbox__domain__alias_of")
        link = rows.filter(digest=digest(token), used_at=None, expires_at__gt=now).first()
    return link if link is not None and is_open(link.mailbox) else None


def use_profile_link(token: str, now: datetime) -> bytes:
    """Make the app password and return the profile with it; the link is worth nothing afterwards.

    Raises Refused: used, too_many.
    """
    link = find_profile_link(token, now)
    if link is None:
        raise Refused("used", "", gettext("This link was used already, or its hour is over. Ask for a new one."))
    with tenant_scope(link.mailbox.domain.tenant.path), transaction.atomic():
        # Of two who use it at once, one finds it used.
        if not ProfileLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
            raise Refused("used", "", gettext("This link was used already. Ask for a new one."))
        return profile_with_password(system_actor(link.mailbox.domain.tenant, "profile link"), link.mailbox)


def profile_with_password(actor: Actor, mailbox: Mailbox) -> bytes:
    """Return a profile with a new app password of the mailbox in it. Raises Refused: not_found, too_many."""
    _, password = create_app_password(actor, mailbox=mailbox, name=NAME, protocols=PROTOCOLS)
    return signed_profile(mailbox.email, mailbox.domain, password=password)


def forget_old_links(now: datetime) -> int:
    """Delete links whose time is over. Returns how many; the caller has entered the scope."""
    return ProfileLink.objects.filter(expires_at__lt=now - HOLDS).delete()[0]


def digest(token: str) -> str:
    """Return what is stored of a link: it is random, so nothing is gained by a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
