"""Every change of invitations."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.invitations import VALID
from accounts.models import Invitation, User
from accounts.operations import check_role, new_person, normalise_login, saved
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.operation import operation
from tenants.limits import reserve
from tenants.locks import lock_branch, share_tenant
from tenants.models import Member, Tenant

SEND = "accounts.tasks.send_invitation"


@operation("members.invite")
def invite_member(actor: Actor, *, email: str, role: str, tenant: Tenant | None = None) -> Invitation:
    """Ask an address to become a member of a tenant (without one: the actor's own). The mail goes out in a moment.

    Raises Refused: not_found, invalid_email, invalid_role, taken.
    """
    tenant = share_tenant(actor, tenant or Tenant(pk=actor.tenant_id))
    email = normalise_login(email)
    check_role(actor, tenant, role)
    if Member.objects.filter(tenant=tenant, user__email=email).exists():
        raise Refused(
            "taken", "email", _("%(email)s is a member of %(name)s already.") % {"email": email, "name": tenant.name}
        )
    now = timezone.now()
    Invitation.objects.filter(tenant=tenant, open_email=email, expires_at__lte=now).update(revoked_at=now)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                tenant=tenant, email=email, role=role, invited_by=actor.label, expires_at=now + VALID
            )
    except IntegrityError as error:
        raise Refused(
            "taken",
            "email",
            _("%(email)s is invited already. Send that invitation again or revoke it.") % {"email": email},
        ) from error
    later(SEND, invitation_id=invitation.pk, language=get_language())
    return invitation


@operation("members.invite")
def resend_invitation(actor: Actor, *, invitation: Invitation) -> Invitation:
    """Send an open invitation again; its link is good for another week. Raises Refused: not_found, closed."""
    row = _locked(invitation)
    check_role(actor, row.tenant, row.role)
    row.expires_at = timezone.now() + VALID
    row.save(update_fields=["expires_at"])
    later(SEND, invitation_id=row.pk, language=get_language())
    return row


@operation("members.invite")
def revoke_invitation(actor: Actor, *, invitation: Invitation) -> Invitation:
    """Make an invitation's link worthless from now on. Raises Refused: not_found, closed."""
    row = _locked(invitation)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    return row


@operation("members.invite")
def restore_invitation(actor: Actor, *, invitation: Invitation) -> Invitation:
    """Let the link of an invitation that was revoked open again, until its own end.

    Raises Refused: not_found, unchanged, taken, invalid_role.
    """
    lock_branch(invitation.tenant)
    rows = Invitation.objects.filter(pk=invitation.pk).select_related("tenant")
    row = rows.exclude(revoked_at=None).filter(accepted_at=None).first()
    if row is None or row.has_expired(timezone.now()):
        raise Refused("unchanged", "", _("There is nothing left to undo."))
    check_role(actor, row.tenant, row.role)
    row.revoked_at = None
    try:
        with transaction.atomic():
            row.save(update_fields=["revoked_at"])
    except IntegrityError as error:
        raise Refused("taken", "", _("%(email)s was invited anew meanwhile.") % {"email": row.email}) from error
    return row


@operation("invitations.accept", secrets=("password",))
def accept_invitation(
    actor: Actor, *, invitation: Invitation, user: User | None = None, name: str = "", password: str = ""
) -> Member:
    """Make whom the invitation names a member: `user`, who is signed in, or a new person with this password.

    Raises Refused: not_found, closed, expired, other_person, weak_password, invalid_name, taken, limit_reached.
    """
    now = timezone.now()
    person = user
    if user is None:
        # Hashing takes time, and the lock is on all tenants up to the root: what can be said before it is said before.
        found = _found(invitation)
        _refuse_expired(found, now)
        person = new_person(found.email, password, name)
    row = _locked(invitation)
    _refuse_expired(row, now)
    if person.email != row.email:
        raise Refused(
            "other_person", "", _("This invitation is for %(email)s. Sign in with that address.") % {"email": row.email}
        )
    if user is None:
        user = saved(person)
    try:
        with transaction.atomic():
            member = Member.objects.create(tenant=row.tenant, user=user, role=row.role)
    except IntegrityError as error:
        raise Refused("taken", "", _("You are a member of %(name)s already.") % {"name": row.tenant.name}) from error
    # The link has reached the address, so it is the person's.
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    reserve(row.tenant.path, members=1)
    return member


def _locked(invitation: Invitation) -> Invitation:
    """Return the open invitation, fresh, under the lock of its tenant. Raises Refused: not_found, closed."""
    lock_branch(invitation.tenant)
    return _found(invitation)


def _found(invitation: Invitation) -> Invitation:
    """Return the open invitation, fresh. Raises Refused: not_found, closed."""
    row = Invitation.objects.filter(pk=invitation.pk).select_related("tenant").first()
    if row is None:
        raise Refused("not_found", "", _("This invitation does not exist."))
    if not row.is_open:
        raise Refused("closed", "", _("This invitation was used or revoked. Ask for a new one."))
    return row


def _refuse_expired(invitation: Invitation, now: datetime) -> None:
    if invitation.has_expired(now):
        raise Refused(
            "expired",
            "",
            _("This invitation ended on %(expires_at)s. Ask for a new one.")
            % {"expires_at": f"{invitation.expires_at:%-d %B %Y}"},
        )
