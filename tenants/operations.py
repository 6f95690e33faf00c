"""Every change of the tree of tenants."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.fields import UID_LENGTH, new_uid
from mailhost.operation import operation
from mailhost.scope import every_tenant
from tenants.limits import SUB_RESELLERS, has_feature, reserve
from tenants.locks import lock_branch
from tenants.models import Allowance, Kind, Plan, Reason, Tenant
from tenants.plans import grant, version_for
from tenants.suspension import said_reason

# What stands below what; a reseller below a reseller is a feature of plans.
BELOW = {
    Kind.OPERATOR: frozenset({Kind.RESELLER, Kind.CUSTOMER}),
    Kind.RESELLER: frozenset({Kind.RESELLER, Kind.CUSTOMER}),
    Kind.CUSTOMER: frozenset(),
}
SIGN_IN, SENDING, RECEIVING = "sign_in", "sending", "receiving"
BLOCKS = (SIGN_IN, SENDING, RECEIVING)
MAX_NAME, MAX_NOTE = 120, 500
# Room for the id that a path ends in until the row has its own.
MAX_PATH = 700 - UID_LENGTH
END_SESSIONS = "mailboxes.tasks.end_sessions_of_tenant"


def found_installation(name: str) -> Tenant:
    """Create the operator, the root of the tree. There is no actor yet who could; a command calls it once.

    Raises Refused("unchanged") when there is an operator.
    """
    name = check_name(name)
    with every_tenant("the first tenant has nobody above it"), transaction.atomic():
        if Tenant.objects.filter(parent=None).exists():
            raise Refused("unchanged", "", _("This installation has its operator already."))
        tenant = Tenant.objects.create(kind=Kind.OPERATOR, name=name, path=_unplaced())
        _place(tenant, f"/{tenant.pk}/")
        founder = Actor(
            tenant.pk, tenant.path, frozenset({note_founding.action}), role="system", label=_("installation")
        )
        note_founding(founder, tenant=tenant)
    return tenant


@operation("tenants.found")
def note_founding(actor: Actor, *, tenant: Tenant) -> Tenant:
    """Record the first tenant as its own founder's act: before it, nobody could act."""
    return tenant


@operation("tenants.create")
def create_tenant(actor: Actor, *, parent: Tenant, kind: str, name: str, plan: Plan | None = None) -> Tenant:
    """Create a tenant below `parent`, with the limits of a plan or none of its own; it inherits what is blocked above.

    Raises Refused: not_found, invalid_kind, invalid_name, too_deep, unknown_plan, oversold, limit_reached.
    """
    name = check_name(name)
    parent = lock_branch(parent)
    check_kind(parent, kind)
    tenant = Tenant.objects.create(
        parent=parent, kind=kind, name=name, path=_unplaced(parent.path), brand_id=parent.brand_id
    )
    _place(tenant, f"{parent.path}{tenant.pk}/")
    recalculate(tenant_path=tenant.path)
    if plan is not None:
        grant([tenant], version_for(tenant, plan))
    reserve(parent.path, sub_tenants=1)
    tenant.refresh_from_db()
    return tenant


@operation("tenants.suspend")
def suspend_tenant(
    actor: Actor, *, tenant: Tenant, reason: str, note: str = "", blocks: Sequence[str] = BLOCKS
) -> Tenant:
    """Block a tenant and all below it: `sign_in` (and with it sending by mail programs), `sending`, `receiving`.

    `reason` is one of `Reason`, `note` says more; the tenant reads both. Replaces an earlier suspension. Raises
    Refused: not_found, own_tenant, invalid_blocks, invalid_reason, invalid_note, suspended_above.
    """
    note = _check_suspension(blocks, reason, note)
    tenant = lock_branch(tenant)
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "", _("You cannot suspend your own account."))
    _refuse_below_suspender(actor, tenant)
    tenant.suspension_reason, tenant.suspension_note, tenant.suspended_at = reason, note, timezone.now()
    _set_blocks(tenant, blocks, by=actor)
    if SIGN_IN in blocks:
        later(END_SESSIONS, tenant_id=tenant.pk)
    return tenant


@operation("tenants.resume")
def resume_tenant(actor: Actor, *, tenant: Tenant) -> Tenant:
    """Lift a tenant's own suspension; what is blocked above stays blocked.

    Raises Refused: not_found, own_tenant, unchanged, suspended_above.
    """
    tenant = lock_branch(tenant)
    if tenant.pk == actor.tenant_id:
        raise Refused("own_tenant", "", _("You cannot lift the suspension of your own account."))
    if not tenant.is_suspended:
        raise Refused("unchanged", "", _("%(name)s is not suspended.") % {"name": tenant.name})
    _refuse_below_suspender(actor, tenant)
    tenant.suspension_reason, tenant.suspension_note, tenant.suspended_at = "", "", None
    _set_blocks(tenant, (), by=None)
    return tenant


def check_kind(parent: Tenant, kind: str) -> None:
    """Raise Refused("invalid_kind") for what cannot stand below this tenant."""
    if kind not in BELOW[parent.kind]:
        raise Refused(
            "invalid_kind", "kind", _("A %(kind)s has no %(kind_2)s below it.") % {"kind": parent.kind, "kind_2": kind}
        )
    if parent.kind == kind and not has_feature(parent, SUB_RESELLERS):
        raise Refused(
            "invalid_kind", "kind", _("The plan of %(name)s allows no resellers below it.") % {"name": parent.name}
        )


def check_name(name: str) -> str:
    """Return the name without outer blanks. Raises Refused("invalid_name")."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(
            "invalid_name",
            "name",
            _("Enter a name of 1 to %(max_name)s printable characters.") % {"max_name": MAX_NAME},
        )
    return name


def _refuse_below_suspender(actor: Actor, tenant: Tenant) -> None:
    above = tenant.suspended_by_path
    if above and above != actor.tenant_path and actor.tenant_path.startswith(above):
        raise Refused(
            "suspended_above",
            "",
            _(
                "%(name)s was suspended from above your account, so only they can change or lift that. "
                "Ask them. Their reason: %(tenant)s"
            )
            % {"name": tenant.name, "tenant": said_reason(tenant)},
        )


def _check_suspension(blocks: Sequence[str], reason: str, note: str) -> str:
    """Return the note without outer blanks. Raises Refused: invalid_blocks, invalid_reason, invalid_note."""
    if not blocks or not set(blocks) <= set(BLOCKS):
        raise Refused("invalid_blocks", "blocks", _("Block one or more of %(names)s.") % {"names": ", ".join(BLOCKS)})
    if reason not in Reason.values:
        raise Refused(
            "invalid_reason", "reason", _("Give one of these reasons: %(names)s.") % {"names": ", ".join(Reason.values)}
        )
    note = note.strip()
    if len(note) > MAX_NOTE:
        raise Refused("invalid_note", "note", _("A note has at most %(max_note)s characters.") % {"max_note": MAX_NOTE})
    if reason == Reason.OTHER and not note:
        raise Refused("invalid_note", "note", _("Say in a note what the reason is; the customer reads it."))
    return note


def _set_blocks(tenant: Tenant, blocks: Sequence[str], *, by: Actor | None) -> None:
    tenant.blocks_sign_in = SIGN_IN in blocks
    tenant.blocks_sending = SENDING in blocks
    tenant.blocks_receiving = RECEIVING in blocks
    tenant.suspended_by_path = by.tenant_path if by else None
    tenant.save(
        update_fields=[
            "blocks_sign_in",
            "blocks_sending",
            "blocks_receiving",
            "suspension_reason",
            "suspension_note",
            "suspended_at",
            "suspended_by_path",
            "updated_at",
        ]
    )
    recalculate(tenant_path=tenant.path)
    tenant.refresh_from_db()


def _place(tenant: Tenant, path: str) -> None:
    """Give a new tenant its path and its page in the book of what is in use. Raises Refused("too_deep")."""
    check_depth(path)
    tenant.path = path
    tenant.save(update_fields=["path", "updated_at"])
    Allowance.objects.create(tenant=tenant, path=path)


def check_depth(path: str) -> None:
    """Raise Refused("too_deep") for a path that the column cannot hold: some seventy levels."""
    if len(path) > MAX_PATH:
        raise Refused("too_deep", "parent", _("So many accounts stand above this one already that none fits below it."))


def _unplaced(above: str = "/") -> str:
    """Return a path that is in the right subtree until the row has the id that its path ends in."""
    return f"{above}{new_uid()}/"
