"""The record of every change: one event for each act, written in the act's own transaction."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils import timezone

from audit.chain import append
from audit.changes import change_of, tenant_id_of
from audit.models import ActorKind, Event
from mailhost.actor import Actor
from mailhost.fields import new_uid
from mailhost.request_id import request_id


def record(
    actor: Actor, action: str, *, details: dict[str, Any], given: Sequence[models.Model] = (), result: Any = None
) -> None:
    """Write who did what: `details` are an operation's arguments in words, without secrets, `given` the rows among
    them, `result` is what it returned. `mailhost.operation` calls this for each operation, in its transaction."""
    change = change_of(given, result)
    first = change.rows[0] if change.rows else None
    event = Event(
        uid=new_uid(),
        tenant_id=(tenant_id_of(first) if first is not None else None) or actor.tenant_id,
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
