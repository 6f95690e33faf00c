"""Every change of an app password. Whoever holds the mailbox's domain changes them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from mailboxes.addresses import display_address
from mailboxes.app_passwords import PROTOCOLS, check_protocols, mint, normalise_networks
from mailboxes.models import AppPassword, Mailbox
from mailboxes.operations import locked_mailbox
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _

MAX_NAME = 80
MAX_OF_MAILBOX = 100


@operation("app_passwords.create")
def create_app_password(
    actor: Actor,
    *,
    mailbox: Mailbox,
    name: str,
    protocols: Sequence[str],
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> tuple[AppPassword, str]:
    """Return a new app password of a mailbox and its text, shown once and stored nowhere. Without networks it opens
    from everywhere, without `expires_at` until it is revoked.

    Raises Refused: not_found, invalid_name, invalid_protocols, invalid_networks, invalid_expiry, too_many.
    """
    name = check_name(name)
    chosen = check_protocols(protocols)
    stored_networks = normalise_networks(networks)
    check_expiry(expires_at, timezone.now())
    mailbox = locked_mailbox(actor, mailbox)
    if AppPassword.objects.filter(mailbox=mailbox).count() >= MAX_OF_MAILBOX:
        shown = display_address(mailbox.email)
        raise Refused(
            "too_many",
            "",
            _("%(shown)s has %(max_of_mailbox)s app passwords. Revoke those nobody uses.")
            % {"shown": shown, "max_of_mailbox": MAX_OF_MAILBOX},
        )
    minted = mint()
    row = AppPassword.objects.create(
        mailbox=mailbox,
        name=name,
        selector=minted.selector,
        digest=minted.digest,
        networks=stored_networks,
        expires_at=expires_at,
        **_switches(chosen),
    )
    return row, minted.text


@operation("app_passwords.update")
def update_app_password(
    actor: Actor,
    *,
    app_password: AppPassword,
    name: str | None = None,
    protocols: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    never_expires: bool = False,
) -> AppPassword:
    """Change what is given and leave the rest; open sessions that it no longer allows end.

    Raises Refused: not_found, invalid_name, invalid_protocols, invalid_networks, invalid_expiry.
    """
    row = _locked(actor, app_password)
    if name is not None:
        row.name = check_name(name)
    if protocols is not None:
        for switch, value in _switches(check_protocols(protocols)).items():
            setattr(row, switch, value)
    if networks is not None:
        row.networks = normalise_networks(networks)
    if expires_at is not None or never_expires:
        check_expiry(expires_at, timezone.now())
        row.expires_at, row.ended_at = expires_at, None
    row.save()
    if protocols is not None or networks is not None:
        later("mailboxes.tasks.end_sessions", address_mask=row.mailbox.email)
    return row


@operation("app_passwords.revoke")
def revoke_app_password(actor: Actor, *, app_password: AppPassword) -> None:
    """Make an app password worthless from now on; the mailbox's open sessions end. Raises Refused: not_found."""
    row = _locked(actor, app_password)
    row.delete()
    later("mailboxes.tasks.end_sessions", address_mask=row.mailbox.email)


def end_expired(now: datetime) -> None:
    """End the sessions of mailboxes whose app passwords have expired: a session outlives what opened it.

    Called by the clock; the caller has entered the scope.
    """
    expired = AppPassword.objects.filter(ended_at=None, expires_at__lte=now, mailbox__deleted_at=None)
    for row in expired.select_related("mailbox").order_by("pk")[:500]:
        with transaction.atomic():
            if AppPassword.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
                later("mailboxes.tasks.end_sessions", address_mask=row.mailbox.email)


def check_name(name: str) -> str:
    """Return the name without outer blanks. Raises Refused("invalid_name")."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(
            "invalid_name",
            "name",
            _("Name the program or device with 1 to %(max_name)s printable characters.") % {"max_name": MAX_NAME},
        )
    return name


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raise Refused("invalid_expiry") for a moment that has passed."""
    if expires_at is not None and expires_at <= now:
        raise Refused("invalid_expiry", "expires_at", _("Choose a moment in the future, or none."))


def _switches(protocols: frozenset[str]) -> dict[str, bool]:
    return {f"allows_{name}": name in protocols for name in PROTOCOLS}


def _locked(actor: Actor, app_password: AppPassword) -> AppPassword:
    """Return the app password, fresh, under the lock of its mailbox's domain. Raises Refused("not_found")."""
    mailbox = locked_mailbox(actor, app_password.mailbox)
    row = AppPassword.objects.filter(pk=app_password.pk, mailbox=mailbox).first()
    if row is None:
        raise Refused("not_found", "", _("This app password does not exist."))
    row.mailbox = mailbox
    return row
