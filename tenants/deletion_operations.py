"""Deleting a tenant: first so that it can come back, at last for good."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import subtree
from tenants import breaches
from tenants.limits import release, reserve, take_in, totals
from tenants.locks import lock_branch, lock_branches
from tenants.models import Allowance, Tenant
from tenants.operations import END_SESSIONS

FINISH = "tenants.tasks.finish_purge"


@operation("tenants.delete")
def delete_tenant(actor: Actor, *, tenant: Tenant) -> Tenant:
    """Delete a tenant and everybody below it: nobody signs in, no mail comes or goes, nothing of it is seen.

    All of it is kept for `restore_tenant` until the grace period is over. Raises Refused: not_found, own_tenant.
    """
    tenant = lock_branch(tenant)
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "", _("You cannot delete your own account."))
    below = Tenant.objects.filter(subtree("path", tenant.path), deleted_at=None)
    below.update(deleted_at=timezone.now(), deleted_with=tenant, updated_at=timezone.now())
    _follow(tenant, is_live=False)
    later(END_SESSIONS, tenant_id=tenant.pk)
    release(tenant.parent.path, sub_tenants=1)
    tenant.refresh_from_db()
    return tenant


@operation("tenants.restore")
def restore_tenant(actor: Actor, *, tenant: Tenant) -> Tenant:
    """Bring a deleted tenant back as it was, with everybody who was deleted with it.

    Raises Refused: not_found, deleted_above, purged, limit_reached, oversold.
    """
    [tenant] = lock_branches(tenant, deleted=True)
    _refuse_unless_root_of_deletion(tenant)
    if tenant.parent.deleted_at is not None:
        raise Refused(
            "deleted_above",
            "",
            _("The account above %(name)s is deleted too. Restore that one first.") % {"name": tenant.name},
        )
    Tenant.objects.filter(deleted_with=tenant).update(deleted_at=None, deleted_with=None, updated_at=timezone.now())
    _follow(tenant, is_live=True)
    for breach in breaches.of_plans([tenant], tenant.allowance):
        if not breach.is_own:
            raise breach.refusal("")
    reserve(tenant.parent.path, sub_tenants=1)
    take_in(tenant.parent.path, totals([tenant.path])[0])
    tenant.refresh_from_db()
    return tenant


@operation("tenants.purge")
def purge_tenant(actor: Actor, *, tenant: Tenant) -> Tenant:
    """Begin to delete for good what was deleted: from here on it does not come back. `tenants.purge` does the rest.

    Raises Refused: not_found, deleted_above, purged.
    """
    [tenant] = lock_branches(tenant, deleted=True)
    _refuse_unless_root_of_deletion(tenant)
    below = Tenant.objects.filter(subtree("path", tenant.path), purged_at=None)
    below.update(purged_at=timezone.now(), updated_at=timezone.now())
    later(FINISH, tenant_id=tenant.pk)
    tenant.refresh_from_db()
    return tenant


def restorable_until(tenant: Tenant) -> datetime | None:
    """Return when a deleted tenant is purged, or None while it is not deleted."""
    return tenant.deleted_at + timedelta(days=settings.MAILHOST_GRACE_DAYS) if tenant.deleted_at else None


def _refuse_unless_root_of_deletion(tenant: Tenant) -> None:
    if tenant.purged_at is not None:
        raise Refused("purged", "", _("%(name)s was deleted for good. Nothing of it is left.") % {"name": tenant.name})
    if tenant.deleted_with_id != tenant.pk:
        raise Refused(
            "deleted_above",
            "",
            _("%(name)s was deleted with an account above it. Name that one.") % {"name": tenant.name},
        )


def _follow(tenant: Tenant, *, is_live: bool) -> None:
    """Let limits and the daemons' columns know which tenants of this subtree there are."""
    Allowance.objects.filter(subtree("path", tenant.path), tenant__deleted_at__isnull=is_live).update(is_live=is_live)
    recalculate(tenant_path=tenant.path)
