"""From a person, or a command, to an Actor."""

from accounts.models import ApiKey, User
from mailhost.actor import Actor
from mailhost.scope import every_tenant
from tenants.models import Member, Tenant
from tenants.permissions import SYSTEM, permissions


def actor_of_user(user: User, *, address: str = "") -> Actor | None:
    """Return the actor of a person's oldest membership of a tenant that may sign in, or None without one."""
    with every_tenant("a person's memberships are found before a tenant is known"):
        member = (
            Member.objects.select_related("tenant")
            .filter(user=user, tenant__may_sign_in=True, tenant__deleted_at=None)
            .order_by("pk")
            .first()
        )
    if member is None:
        return None
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
    )


def actor_of_key(key: ApiKey, *, address: str = "") -> Actor:
    """Return the actor of an API key whose tenant stands beside it."""
    return Actor(
        tenant_id=key.tenant_id,
        tenant_path=key.tenant.path,
        permissions=permissions(key.tenant.kind, key.role),
        role=key.role,
        label=str(key),
        key_id=key.pk,
        address=address,
    )


def system_actor(tenant: Tenant, label: str) -> Actor:
    """Return the actor of a command or task that acts for `tenant`; `label` names it in the audit record."""
    return Actor(tenant_id=tenant.pk, tenant_path=tenant.path, permissions=SYSTEM, role="system", label=label)
