"""What mailbox users do on their own site."""

import time
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import attempts
from mailboxes.app_password_operations import create_app_password, revoke_app_password
from mailboxes.models import AppPassword, Mailbox
from mailboxes.operations import change_password
from mailboxes.passwords import hash_password, verify
from mailboxes.references import app_passwords_of
from mailhost.actor import Actor
from mailhost.errors import Refused, Suspended
from mailhost.operation import operation
from mailhost.scope import every_tenant, tenant_scope
from selfservice.models import MailboxSession
from selfservice.sessions import begin, is_open, mark, why_closed

NO_MATCH = gettext_lazy(
    "The address and the password do not match. Check both; upper and lower case matter in the password."
)
# Hashes of several kinds cost differently; a refusal takes as long for each of them, and for nobody's address.
REFUSAL_SECONDS = 0.3
CURRENT_SCHEME = "{ARGON2ID}"


def sign_in(email: str, password: str, *, address: str, user_agent: str, now: datetime) -> str:
    """Begin a session for a mailbox's own password; return what the cookie holds. Nobody is acting yet.

    Unknown and deleted mailboxes and wrong passwords are answered alike, in the same time; only the right password
    hears of a suspension. The stored hash is the one that Dovecot reads; one of another kind than ours is written
    anew. Raises Refused: too_many, no_match; Suspended.
    """
    begun = time.monotonic()
    email = email.strip().lower()
    account = f"mailbox {email}"
    if until := attempts.closed_until(address, account):
        raise Refused("too_many", "", attempts.wait_until(until))
    with every_tenant("who signs in has no tenant yet"):
        mailbox = Mailbox.objects.select_related("domain__tenant").filter(live_email=email).first()
    is_right = verify(password, mailbox.password_hash if mailbox else nobodys_hash())
    if mailbox is not None and is_right and (reason := why_closed(mailbox)):
        raise Suspended(reason)
    if mailbox is None or not is_right or not is_open(mailbox):
        attempts.note_failure(address, account)
        time.sleep(max(0.0, REFUSAL_SECONDS - (time.monotonic() - begun)))
        raise Refused("no_match", "", str(NO_MATCH))
    attempts.note_success(address, account)
    with tenant_scope(mailbox.domain.tenant.path):
        if not mailbox.password_hash.startswith(CURRENT_SCHEME):
            # Only in place of what was compared: somebody may just have changed the password.
            before, mailbox.password_hash = mailbox.password_hash, hash_password(password)
            rows = Mailbox.objects.filter(pk=mailbox.pk, password_hash=before)
            rows.update(password_hash=mailbox.password_hash)
        return begin(mailbox, address=address, user_agent=user_agent, now=now)


def change_own_password(session: MailboxSession, *, present: str, password: str, address: str, now: datetime) -> None:
    """Set a new password for the session's mailbox; its other sessions end, here and in mail programs.

    Raises Refused: too_many, wrong_password, weak_password.
    """
    mailbox, account = session.mailbox, f"mailbox {session.mailbox.email}"
    if until := attempts.closed_until(address, account):
        raise Refused("too_many", "", attempts.wait_until(until))
    if not verify(present, mailbox.password_hash):
        attempts.note_failure(address, account)
        raise Refused("wrong_password", "present", _("This is not your present password. Upper and lower case matter."))
    changed = change_password(mailbox_user(mailbox, address), mailbox=mailbox, password=password)
    with tenant_scope(mailbox.domain.tenant.path):
        others = MailboxSession.objects.filter(mailbox=mailbox, ended_at=None).exclude(pk=session.pk)
        others.update(ended_at=now)
        MailboxSession.objects.filter(pk=session.pk).update(mark=mark(changed))


def own_app_passwords(session: MailboxSession) -> list[AppPassword]:
    """Return the app passwords of the session's mailbox, newest first."""
    with tenant_scope(session.mailbox.domain.tenant.path):
        return list(app_passwords_of(session.mailbox))


def create_own_app_password(session: MailboxSession, *, address: str, **arguments: Any) -> tuple[AppPassword, str]:
    """Do `create_app_password` for the session's mailbox, and for no other of its tenant's."""
    return create_app_password(mailbox_user(session.mailbox, address), mailbox=session.mailbox, **arguments)


def own_app_password(session: MailboxSession, uid: str) -> AppPassword | None:
    """Return one of the mailbox's app passwords; None when the mailbox has no such one."""
    with tenant_scope(session.mailbox.domain.tenant.path):
        return app_passwords_of(session.mailbox).filter(uid=uid).first()


def revoke_own_app_password(session: MailboxSession, *, app_password: AppPassword, address: str) -> None:
    """Do `revoke_app_password` as the mailbox user. Raises Refused: not_found, when somebody else was quicker."""
    revoke_app_password(mailbox_user(session.mailbox, address), app_password=app_password)


def end_session(session: MailboxSession, *, uid: str, address: str, now: datetime) -> bool:
    """End one of the mailbox's sessions; say whether there was such a one."""
    with tenant_scope(session.mailbox.domain.tenant.path):
        row = MailboxSession.objects.filter(mailbox=session.mailbox_id, uid=uid, ended_at=None).first()
    if row is None:
        return False
    end_mailbox_session(mailbox_user(session.mailbox, address), session=row, now=now)
    return True


@operation("mailbox_sessions.end")
def end_mailbox_session(actor: Actor, *, session: MailboxSession, now: datetime) -> MailboxSession:
    """End a session; its cookie opens nothing any more."""
    session.ended_at = now
    session.save(update_fields=["ended_at"])
    return session


# What is a mailbox user's own.
OWN = frozenset(act.action for act in (change_password, create_app_password, revoke_app_password, end_mailbox_session))


def mailbox_user(mailbox: Mailbox, address: str) -> Actor:
    """Return who may change this mailbox's password and app passwords and end its sessions, and nothing else."""
    tenant = mailbox.domain.tenant
    return Actor(
        tenant_id=tenant.pk,
        tenant_path=tenant.path,
        permissions=OWN,
        role="mailbox_user",
        label=mailbox.email,
        address=address,
    )


@cache
def nobodys_hash() -> str:
    """Return a hash that is compared with when there is no such mailbox."""
    return hash_password(get_random_string(32))
