"""From a person, or a command, to an Actor."""

import dataclasses

from accounts.models import ApiKey, Impersonation, Invitation, User
from mailhost.actor import Actor
from mailhost.api.scopes import BEYOND_DOMAINS, actions_of
from mailhost.scope import every_tenant
from tenants.models import Member, Role, Tenant
from tenants.permissions import OWN, SYSTEM, WAYS_IN, permissions
from tenants.suspension import notice


def memberships_of(user: User) -> list[Member]:
    """Return a person's memberships of tenants that may sign in, oldest first, each with its tenant."""
    with every_tenant("a person's memberships are found before a tenant is known"):
        return list(
            Member.objects.select_related("tenant__brand")
            .filter(user=user, tenant__may_sign_in=True, tenant__deleted_at=None)
            .order_by("pk")
        )


def why_closed(user: User) -> list[str]:
    """Return, for a person who has shown who it is, why each of their tenants that may not sign in may not."""
    with every_tenant("a person's memberships are found before a tenant is known"):
        closed = Member.objects.select_related("tenant").filter(
            user=user, tenant__may_sign_in=False, tenant__deleted_at=None
        )
        return [notice(member.tenant) for member in closed.order_by("pk")]


def actor_of_user(user: User, *, address: str = "") -> Actor | None:
    """Return the actor of a person's oldest membership of a tenant that may sign in, or None without one."""
    return next((actor_of_member(member, user, address=address) for member in memberships_of(user)), None)


def actor_of_anybody(user: User, *, address: str = "") -> Actor:
    """Return the actor of a person who may have no tenant that may sign in: then one with their own ways in alone."""
    if actor := actor_of_user(user, address=address):
        return actor
    with every_tenant("what a person changes of their own is recorded, whatever became of their tenants"):
        tenant = Tenant.objects.filter(members__user=user).order_by("pk").first() or Tenant.objects.get(parent=None)
    return Actor(
        tenant_id=tenant.pk,
        tenant_path=tenant.path,
        permissions=OWN,
        label=user.email,
        user_id=user.pk,
        address=address,
    )


def actor_of_member(member: Member, user: User, *, address: str = "") -> Actor:
    """Return what a person is in a tenant that stands beside the membership."""
    return Actor(
        tenant_id=member.tenant_id,
        tenant_path=member.tenant.path,
        permissions=permissions(member.tenant.kind, member.role),
        role=member.role,
        label=user.email,
        user_id=user.pk,
        address=address,
        tenant_name=member.tenant.name,
        tenant_kind=member.tenant.kind,
        notice=notice(member.tenant),
    )


def actor_of_impersonation(impersonation: Impersonation, member: Member, *, address: str = "") -> Actor:
    """Return the member whom somebody has signed in as: all that is theirs to do but ways in, with both names."""
    whose = actor_of_member(member, impersonation.user, address=address)
    return dataclasses.replace(
        whose,
        permissions=whose.permissions - WAYS_IN,
        impersonator=impersonation.impersonator.email,
        impersonator_id=impersonation.impersonator_id,
    )


def invited_actor(invitation: Invitation, *, address: str = "") -> Actor:
    """Return who may accept this invitation of a tenant that stands beside it, and nothing else."""
    return Actor(
        tenant_id=invitation.tenant_id,
        tenant_path=invitation.tenant.path,
        permissions=frozenset({"invitations.accept"}),
        role="invited",
        label=invitation.email,
        address=address,
    )


def actor_of_key(key: ApiKey, *, address: str = "") -> Actor:
    """Return the actor of an API key whose tenants stand beside it."""
    may = actions_of(key.scopes, permissions(key.tenant.kind, Role.OWNER))
    return Actor(
        tenant_id=key.root.pk,
        tenant_path=key.root.path,
        permissions=may - BEYOND_DOMAINS if key.domains else may,
        role="key",
        label=str(key),
        key_id=key.pk,
        address=address,
        tenant_name=key.root.name,
        tenant_kind=key.root.kind,
        home_tenant_id=key.tenant_id,
        domain_ids=frozenset(domain["id"] for domain in key.domains) if key.domains else None,
        is_test=key.is_test,
        api_rates=tuple((holder, limit) for holder, limit in getattr(key, "rates", None) or []),
    )


def system_actor(tenant: Tenant, label: str) -> Actor:
    """Return the actor of a command or task that acts for `tenant`; `label` names it in the audit record."""
    return Actor(tenant_id=tenant.pk, tenant_path=tenant.path, permissions=SYSTEM, role="system", label=label)
