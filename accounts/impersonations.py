"""Who may act as whom, and for how long."""

from datetime import datetime, timedelta

from accounts.actors import actor_of_impersonation
from accounts.models import Impersonation
from mailhost.actor import Actor
from mailhost.scope import tenant_scope
from tenants.models import Member

# The session names the running impersonation, by uid.
SESSION_KEY = "impersonation"
LENGTH = timedelta(minutes=30)


def actor_as_another(own: Actor, uid: str, now: datetime) -> tuple[Impersonation, Actor] | None:
    """Return the running impersonation and the actor that it makes of `own`; None once it is over.

    It is over with its time, with the tenant's or the member's place, and with the right to it.
    """
    if not own.may("tenants.sign_in_as"):
        return None
    with tenant_scope(own.tenant_path):
        found = (
            Impersonation.objects.select_related("user", "impersonator")
            .filter(uid=uid, impersonator=own.user_id)
            .first()
        )
        if found is None or not found.is_running(now):
            return None
        member = (
            Member.objects.select_related("tenant")
            .filter(tenant=found.tenant_id, user=found.user_id, tenant__may_sign_in=True, tenant__deleted_at=None)
            .first()
        )
    if member is None:
        return None
    return found, actor_of_impersonation(found, member, address=own.address)
