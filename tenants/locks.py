"""The order of locks begins here: tenants by id, so from the root down. `domains.locks` goes on."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from tenants.models import Tenant


class Standing(NamedTuple):
    """Where a tenant stands in the tree, and what it may do now."""

    path: str
    may_sign_in: bool
    may_send: bool
    may_receive: bool


def share_tenants(ids: Iterable[int]) -> dict[int, Standing]:
    """Keep these tenants as they are until the transaction ends; others may do so too. Return how they stand, by id."""
    with connection.cursor() as cursor:
        # Django has no shared lock. An exclusive one would let one change at a time into a whole tenant.
        cursor.execute(
            "SELECT id, path, may_sign_in, may_send, may_receive FROM tenants_tenant WHERE id IN %s "
            "ORDER BY id LOCK IN SHARE MODE",
            [tuple(sorted(set(ids)))],
        )
        return {pk: Standing(path, *map(bool, switches)) for pk, path, *switches in cursor.fetchall()}


def share_tenant(actor: Actor, tenant: Tenant) -> Tenant:
    """Return the tenant, fresh, kept as it is with the actor's own, whose audit record is written last.

    Raises Refused("not_found") when it is gone or not the actor's.
    """
    share_tenants({actor.tenant_id, tenant.pk})
    return _in_scope(tenant)


def lock_branch(tenant: Tenant) -> Tenant:
    """Return the tenant, fresh, locked with everything above it. Raises Refused("not_found").

    Two changes of one branch therefore come one after the other, and a tenant created meanwhile below a suspended
    one cannot miss the suspension.
    """
    return lock_branches(tenant)[0]


def lock_branches(*tenants: Tenant, deleted: bool = False) -> list[Tenant]:
    """The same for several, each with everything above it. A tenant that is moved meanwhile is followed.

    With `deleted` for tenants that were deleted, and only for such.
    """
    while True:
        asked = Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants], deleted_at__isnull=not deleted)
        paths = dict(asked.values_list("pk", "path"))
        if any(tenant.pk not in paths for tenant in tenants):
            raise _missing()
        with every_tenant("what is above a tenant decides about it"):
            chain = {int(part) for path in paths.values() for part in path.strip("/").split("/")}
            rows = {row.pk: row for row in Tenant.objects.select_for_update().filter(pk__in=chain).order_by("pk")}
        locked = [rows[tenant.pk] for tenant in tenants]
        if all(row.path == paths[row.pk] and (row.deleted_at is not None) == deleted for row in locked):
            return locked


def _in_scope(tenant: Tenant) -> Tenant:
    row = Tenant.objects.filter(pk=tenant.pk, deleted_at=None).first()
    if row is None:
        raise _missing()
    return row


def _missing() -> Refused:
    return Refused("not_found", "", _("This account does not exist."))
