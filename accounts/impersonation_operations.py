"""Acting as somebody below: begun with a reason, ended by hand or by the clock."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.impersonations import LENGTH
from accounts.models import Impersonation
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.mail import send_later
from mailhost.operation import operation
from tenants.brands import dress_of
from tenants.models import Member, Tenant

MAX_REASON = 500


@operation("tenants.sign_in_as")
def sign_in_as(actor: Actor, *, member: Member, reason: str) -> Impersonation:
    """Begin half an hour as a member of a tenant below the actor's, who is told by mail.

    Raises Refused: not_found, own_tenant, needs_person, reason_required, closed.
    """
    row = Member.objects.select_related("tenant__brand", "user").filter(pk=member.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This member does not exist."))
    if row.tenant_id == actor.tenant_id:
        raise Refused("own_tenant", "", _("You can sign in as people of the accounts below yours only."))
    if actor.user_id is None or actor.impersonator_id is not None:
        raise Refused("needs_person", "", _("Only a person can sign in as somebody, and as one at a time."))
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Refused(
            "reason_required",
            "reason",
            _("Say in at most %(max_reason)s characters why; the customer reads it.") % {"max_reason": MAX_REASON},
        )
    if not (row.tenant.may_sign_in and row.tenant.deleted_at is None and row.user.is_active):
        raise Refused(
            "closed",
            "",
            _("%(email)s cannot sign in to %(name)s at present.") % {"email": row.user.email, "name": row.tenant.name},
        )
    own = Tenant.objects.get(pk=actor.tenant_id)
    started = Impersonation.objects.create(
        tenant=row.tenant,
        user=row.user,
        impersonator_id=actor.user_id,
        impersonator_tenant=own.name,
        reason=reason.strip(),
        address=actor.address,
        ends_at=timezone.now() + LENGTH,
    )
    told = {"impersonation": started, "who": actor.label, "minutes": LENGTH.seconds // 60}
    dress = dress_of(row.tenant)
    send_later("accounts/mail/impersonation.txt", row.user.email, told, dress, language=row.user.language)
    return started


@operation("tenants.sign_in_as")
def end_impersonation(actor: Actor, *, impersonation: Impersonation) -> Impersonation:
    """End it before its time. Raises Refused: not_found, unchanged."""
    row = Impersonation.objects.filter(pk=impersonation.pk, impersonator=actor.user_id).first()
    if row is None:
        raise Refused("not_found", "", _("This does not exist."))
    now = timezone.now()
    if not Impersonation.objects.filter(pk=row.pk, ended_at=None, ends_at__gt=now).update(ended_at=now):
        raise Refused("unchanged", "", _("It is over already."))
    row.refresh_from_db()
    return row
