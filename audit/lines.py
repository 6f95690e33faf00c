"""How an event is shown, to pages, API and exports alike: in words, and no more than the viewer may know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import Event
from mailhost.actor import Actor
from tenants.models import Tenant

# Whoever acted from above the viewer's account: that somebody did is told, who it was is not.
PROVIDER = "provider"
# How the API calls the kinds of rows, and how their ids begin.
OBJECTS = {
    "tenant": ("tenant", "ten"),
    "apikey": ("api_key", "key"),
    "domain": ("domain", "dom"),
    "mailbox": ("mailbox", "mbx"),
    "alias": ("alias", "als"),
    "apppassword": ("app_password", "apw"),
    "plan": ("plan", "pln"),
}


@dataclass(frozen=True)
class Line:
    """One event, as one viewer sees it."""

    event: Event
    actor_type: str
    actor: str
    impersonator: str
    address: str
    details: dict[str, Any]

    @property
    def tenant(self) -> Tenant:
        return self.event.tenant

    @property
    def object_type(self) -> str:
        return OBJECTS.get(self.event.object_type, (self.event.object_type, ""))[0]

    @property
    def object_id(self) -> str:
        """The thing's id in the API, or "" for a kind that has none there."""
        _, prefix = OBJECTS.get(self.event.object_type, ("", ""))
        return f"{prefix}_{self.event.object_uid}" if prefix and self.event.object_uid else ""

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """(column, before, after) of what the act changed, or of what it made or removed."""
        before, after = self.event.before or {}, self.event.after or {}
        if isinstance(before, list) or isinstance(after, list):
            return []
        return [(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]


def line_of(event: Event, viewer: Actor) -> Line:
    """Return the event, read with its two tenants, as the viewer may see it."""
    home = event.actor_tenant
    if home is None or not home.path.startswith(viewer.tenant_path):
        return Line(event, PROVIDER, "", "", "", {})
    return Line(event, event.actor_kind, event.actor, event.impersonator, event.address, event.details)


def moment(at: datetime) -> str:
    """Write a time as the API does (RFC 3339)."""
    return at.isoformat().replace("+00:00", "Z")
