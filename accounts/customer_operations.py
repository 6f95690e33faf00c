"""A new customer with somebody who can sign in: two operations, both or neither."""

from django.db import transaction

from accounts.invitation_operations import invite_member
from accounts.models import Invitation
from mailhost.actor import Actor
from mailhost.operation import retried
from tenants.models import Plan, Role, Tenant
from tenants.operations import create_tenant


def create_customer(
    actor: Actor, *, parent: Tenant, kind: str, name: str, plan: Plan | None = None, owner_email: str = ""
) -> tuple[Tenant, Invitation | None]:
    """Create a tenant and invite its first owner by mail, if an address is given.

    Raises Refused as `create_tenant` and `invite_member` do, and nothing is made then.
    """

    def once() -> tuple[Tenant, Invitation | None]:
        with transaction.atomic():
            tenant = create_tenant(actor, parent=parent, kind=kind, name=name, plan=plan)
            if not owner_email:
                return tenant, None
            return tenant, invite_member(actor, email=owner_email, role=Role.OWNER, tenant=tenant)

    return retried(once)
