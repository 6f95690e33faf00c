"""Moving a tenant, with everything below it, to another place in the tree."""

from django.db import connection
from django.db.models import Max
from django.db.models.functions import Length
from django.utils.translation import gettext

from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant, subtree
from tenants import breaches
from tenants.effective import subtree as subtree_sql
from tenants.limits import release, reserve, take_in, totals
from tenants.locks import lock_branches
from tenants.models import Tenant
from tenants.operations import END_SESSIONS, MAX_PATH, check_kind

# A path, and whatever begins with it, under another beginning.
PATHS = (
    "UPDATE tenants_tenant SET path = CONCAT(%s, SUBSTRING(path, %s)) WHERE {which}",
    "UPDATE tenants_tenant SET suspended_by_path = CONCAT(%s, SUBSTRING(suspended_by_path, %s))"
    " WHERE {which} AND suspended_by_path LIKE %s",
    "UPDATE tenants_allowance SET path = CONCAT(%s, SUBSTRING(path, %s)) WHERE {which}",
    # What was sent counts for those above at present, as all that is in use does.
    "UPDATE tenants_sentmessages sent JOIN tenants_allowance page ON page.tenant_id = sent.tenant_id"
    " SET sent.path = page.path WHERE {which}",
)


@operation("tenants.move")
def move_tenant(actor: Actor, *, tenant: Tenant, parent: Tenant) -> Tenant:
    """Let a tenant stand below another parent, with all it has and everybody below it.

    It keeps its plan, its own suspension and its data; what is blocked or limited above the new place holds from now
    on. `breaches.of_move` says beforehand which limits are in the way. Raises Refused: not_found, own_tenant,
    invalid_parent, invalid_kind, too_deep, limit_reached, oversold.
    """
    tenant, parent = lock_branches(tenant, parent)
    check_place(actor, tenant, parent)
    for breach in breaches.of_move(tenant, parent):
        raise breach.refusal("parent")
    before, former = tenant.path, tenant.parent
    tenant.parent = parent
    tenant.save(update_fields=["parent", "updated_at"])
    _write_paths(before, f"{parent.path}{tenant.pk}/")
    # Who has a brand of its own keeps it.
    moved_rows = Tenant.objects.filter(subtree("path", f"{parent.path}{tenant.pk}/"), brand=former.brand_id)
    moved_rows.update(brand=parent.brand_id)
    recalculate(tenant_path=f"{parent.path}{tenant.pk}/")
    release(former.path, sub_tenants=1)
    reserve(parent.path, sub_tenants=1)
    [moved] = totals([f"{parent.path}{tenant.pk}/"])
    take_in(parent.path, moved)
    tenant.refresh_from_db()
    if not tenant.may_sign_in:
        later(END_SESSIONS, tenant_id=tenant.pk)
    return tenant


def check_place(actor: Actor, tenant: Tenant, parent: Tenant) -> None:
    """Raise Refused for a place where this tenant cannot stand: own_tenant, invalid_parent, invalid_kind, too_deep."""
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "", gettext("You cannot move your own account."))
    if parent.path.startswith(tenant.path):
        raise Refused(
            "invalid_parent", "parent", gettext("%(name)s cannot stand below itself.") % {"name": tenant.name}
        )
    if parent.pk == tenant.parent_id:
        raise Refused(
            "invalid_parent",
            "parent",
            gettext("%(name)s stands below %(name_2)s already.") % {"name": tenant.name, "name_2": parent.name},
        )
    check_kind(parent, tenant.kind)
    with every_tenant("everybody below moves too, deleted ones included"):
        below = Tenant.objects.filter(subtree("path", tenant.path))
        longest = below.aggregate(longest=Max(Length("path")))["longest"]
    if longest - len(tenant.parent.path) + len(parent.path) > MAX_PATH:
        raise Refused(
            "too_deep", "parent", gettext("So many accounts stand above that one that these do not fit below it.")
        )


def _write_paths(before: str, after: str) -> None:
    which, bounds = subtree_sql("path", before)
    moved, new_bounds = subtree_sql("path", after)
    tail = len(before) + 1
    tenants, suspenders, allowances, sent = PATHS
    of_page, _ = subtree_sql("page.path", after)
    with connection.cursor() as cursor:
        cursor.execute(tenants.format(which=which), [after, tail, *bounds])
        cursor.execute(suspenders.format(which=moved), [after, tail, *new_bounds, f"{before}%"])
        cursor.execute(allowances.format(which=which), [after, tail, *bounds])
        cursor.execute(sent.format(which=of_page), new_bounds)
