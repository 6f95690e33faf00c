"""The record of every change: one row an act, written in the act's own transaction."""

from typing import Any

from mailhost.actor import Actor
from mailhost.operation import describe
from mailhost.request_id import request_id
from tenants.models import AuditRecord


def record(actor: Actor, action: str, details: dict[str, Any], result: Any) -> AuditRecord:
    """Write who did what. Called by `mailhost.operation` for each operation."""
    return AuditRecord.objects.create(
        tenant_id=actor.tenant_id,
        action=action,
        actor=actor.label,
        user_id=actor.user_id,
        key_id=actor.key_id,
        address=actor.address,
        # An act that leaves nothing behind is about what it was given first.
        object=(named(result) or named(next(iter(details.values()), "")))[:300],
        details=details,
        request_id=request_id(),
    )


def named(value: Any) -> str:
    """Return what the record calls a row, or several rows in one line."""
    described = describe(value)
    return ", ".join(map(str, described)) if isinstance(described, list) else str(described or "")
