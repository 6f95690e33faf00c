"""What of somebody who has begun long work is left while it goes on: asked anew before each step of it."""

import dataclasses
from datetime import datetime

from accounts.actors import actor_of_impersonation, actor_of_key, actor_of_member, memberships_of
from accounts.api_keys import is_open
from accounts.models import ApiKey, Impersonation, User
from accounts.second_factor import is_lacked_by
from mailhost.actor import Actor
from mailhost.errors import Dismissed, Suspended
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from tenants.models import Member
from tenants.suspension import notice


def present(asked: Actor, *, now: datetime) -> Actor:
    """Return whoever has asked for work, with the rights that they have at this moment.

    A command has asked for the installation and goes on. Raises Dismissed, and Suspended with the tenant's reason.
    """
    if asked.key_id is not None:
        return _key(asked, now)
    if asked.user_id is None:
        return asked
    member = _member(asked)
    if asked.impersonator_id is not None:
        return _impersonated(asked, member, now)
    if is_lacked_by(member):
        words = _("%(name)s asks for a second factor, and whoever began this has none.")
        raise Dismissed(words % {"name": member.tenant.name})
    return actor_of_member(member, member.user, address=asked.address)


def _key(asked: Actor, now: datetime) -> Actor:
    with every_tenant("a key is asked for again, whatever became of its tenant"):
        key = ApiKey.objects.select_related("tenant", "bound_to", "made_by").filter(pk=asked.key_id).first()
    if key is None or not is_open(key, asked.address, now):
        raise Dismissed(_("The API key that began this is revoked, has expired, or its account is gone."))
    for tenant in (key.tenant, key.root):
        if not tenant.may_sign_in:
            raise Suspended(notice(tenant))
    # What a plan allows a minute is counted per request, and a step is none.
    return dataclasses.replace(actor_of_key(key, address=asked.address), api_rates=())


def _member(asked: Actor) -> Member:
    with every_tenant("a person's place is asked for again, whatever became of it"):
        member = (
            Member.objects.select_related("tenant", "user")
            .filter(tenant=asked.tenant_id, user=asked.user_id, tenant__deleted_at=None, user__is_active=True)
            .first()
        )
    if member is None:
        raise Dismissed(_("Whoever began this is no longer a member of the account."))
    if not member.tenant.may_sign_in:
        raise Suspended(notice(member.tenant))
    return member


def _impersonated(asked: Actor, member: Member, now: datetime) -> Actor:
    """Return the member as whom somebody has signed in, while that lasts and they have the right to it."""
    with every_tenant("whoever signed in as a member is of a tenant above it"):
        running = (
            Impersonation.objects.select_related("user", "impersonator")
            .filter(tenant=asked.tenant_id, user=asked.user_id, impersonator=asked.impersonator_id)
            .filter(ended_at=None, ends_at__gt=now)
            .order_by("pk")
            .last()
        )
    if running is None or not _may_sign_in_as(running.impersonator, member):
        raise Dismissed(_("The time in which somebody had signed in as this person is over."))
    return actor_of_impersonation(running, member, address=asked.address)


def _may_sign_in_as(impersonator: User, member: Member) -> bool:
    places = [place for place in memberships_of(impersonator) if not is_lacked_by(place)]
    own = [actor_of_member(place, impersonator) for place in places]
    return impersonator.is_active and any(
        actor.may("tenants.sign_in_as") and member.tenant.path.startswith(actor.tenant_path) for actor in own
    )
