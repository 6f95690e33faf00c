"""The record of every change: one event for each act, written in the act's own transaction."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from audit.chain import append
from audit.changes import MOST_ROWS, Change, Given, by_tenant, change_of, rows_of
from audit.models import ActorKind, Event
from mailhost.actor import Actor
from mailhost.fields import new_uid
from mailhost.request_id import request_id


def record(
    actor: Actor, action: str, *, details: dict[str, Any], given: Sequence[Given] = (), result: Any = None
) -> None:
    """Write who did what: `details` are an operation's arguments in words, without secrets, `given` the rows and groups
    among them, `result` is what it returned. `mailhost.operation` calls this for each operation, in its transaction."""
    if result == [] and not given:
        # A batch of which nothing was made.
        return
    of_tenants = by_tenant(rows_of(given, result))
    if len(of_tenants) < 2:
        _write(actor, action, details, next(iter(of_tenants), None), change_of(given, result))
        return
    # Each tenant reads of its own things alone. The chains are locked in one order by all.
    for tenant_id, rows in sorted(of_tenants.items(), key=lambda one: one[0] or 0):
        _write(actor, action, details, tenant_id, change_of(given, rows))


def _write(actor: Actor, action: str, details: dict[str, Any], tenant_id: int | None, change: Change) -> None:
    first = change.rows[0] if change.rows else None
    if len(change.rows) > MOST_ROWS:
        details = details | {"count": len(change.rows)}
    event = Event(
        uid=new_uid(),
        tenant_id=tenant_id or actor.tenant_id,
        created_at=timezone.now(),
        action=action,
        actor_kind=_kind(actor),
        actor=actor.label[:254],
        actor_tenant_id=actor.home_tenant_id or actor.tenant_id,
        user_id=actor.user_id,
        key_id=actor.key_id,
        impersonator=actor.impersonator[:254],
        impersonator_id=actor.impersonator_id,
        address=actor.address[:45],
        request_id=request_id(),
        object_type=first._meta.model_name if first is not None else "",
        object_uid=getattr(first, "uid", ""),
        object=change.name[:300],
        details=details,
        before=change.before,
        after=change.after,
    )
    append(event)


def _kind(actor: Actor) -> ActorKind:
    if actor.key_id is not None:
        return ActorKind.KEY
    return ActorKind.USER if actor.user_id is not None else ActorKind.TASK
