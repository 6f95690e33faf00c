"""From an act to what is told of it: messages and deliveries, written in the act's own transaction."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from audit.changes import Given, by_tenant, rows_of
from domains.models import DomainNotice
from mailhost.actor import Actor
from mailhost.background import later, later_each
from mailhost.fields import new_uid
from mailhost.inserts import insert, insert_all
from mailhost.prepared import Prepared
from mailhost.scope import every_tenant
from tenants.limits import chain_of
from tenants.models import Tenant
from webhooks import aliases
from webhooks.events import EVENTS, NOTICES, OBJECTS, PREFIXES
from webhooks.models import Delivery, Endpoint, Message

DELIVER = "webhooks.tasks.deliver"
ANNOUNCE = "webhooks.tasks.announce"
# So many deliveries wake a worker each, at once; of more, one worker wakes the others: that a request need not.
MOST_AT_ONCE = 20
MOST_ANNOUNCED = 1000


def tell(actor: Actor, action: str, *, given: Sequence[Given] = (), result: Any = None) -> None:
    """Write what the endpoints above the things that were changed are told. `mailhost.operation` calls this for each
    operation, in its transaction; where nobody listens it is one query, and as many for a thousand rows as for two."""
    event_type = EVENTS.get(action)
    rows = rows_of(given, result) if event_type is not None else ()
    if not rows or rows[0]._meta.model_name not in PREFIXES:
        return
    with every_tenant("the tenants above a thing may listen to what happens to it"):
        for tenant_id, of_tenant in by_tenant(rows).items():
            if endpoints := _listening(actor, tenant_id):
                _tell(tenant_id, endpoints, event_type, of_tenant)


def _tell(tenant_id: int, endpoints: Sequence[Endpoint], event_type: str, rows: Sequence[models.Model]) -> None:
    is_of_aliases = rows[0]._meta.model_name == "alias"
    now, uid = timezone.now(), ""
    for told, things in (aliases.told_of(rows) if is_of_aliases else {event_type: rows}).items():
        wanting = [endpoint for endpoint in endpoints if endpoint.wants(told)]
        if wanting and things:
            uid = uid or Tenant.objects.values_list("uid", flat=True).get(pk=tenant_id)
            messages = [_message(tenant_id, told, now, _data(row, uid)) for row in things]
            insert_all(messages)
            send(messages, wanting, now)


def tell_notice(notice: DomainNotice) -> None:
    """Write what the endpoints above a domain are told of what befell it, in the transaction of its notice."""
    if notice.event not in NOTICES:
        return
    domain, now = notice.domain, timezone.now()
    with every_tenant("the tenants above a domain may listen to what happens to it"):
        tenant = domain.tenant
        endpoints = [endpoint for endpoint in _at_path(tenant.path) if endpoint.wants(notice.event)]
        if endpoints:
            send([insert(_message(tenant.pk, notice.event, now, _data(domain, tenant.uid)))], endpoints, now)


def send(messages: Sequence[Message], endpoints: Sequence[Endpoint], now: datetime) -> list[Delivery]:
    """Put messages on their way to these endpoints once this transaction has committed."""
    deliveries = [Delivery(endpoint=one, message=message, due_at=now) for message in messages for one in endpoints]
    insert_all(deliveries)
    ids = [delivery.pk for delivery in deliveries]
    if len(ids) <= MOST_AT_ONCE:
        announce(ids)
    else:
        for start in range(0, len(ids), MOST_ANNOUNCED):
            later(ANNOUNCE, delivery_ids=ids[start : start + MOST_ANNOUNCED])
    return deliveries


def announce(delivery_ids: Sequence[int]) -> None:
    """Have a worker make the first attempt of each of these."""
    later_each(DELIVER, [{"delivery_id": pk} for pk in delivery_ids])


def test_message(endpoint: Endpoint, event_type: str, now: datetime) -> Message:
    """Write a message that tells of nothing but that it arrives."""
    data = {"object": "webhook_endpoint", "id": f"whk_{endpoint.uid}"}
    return insert(_message(endpoint.tenant_id, event_type, now, data))


def _listening(actor: Actor, tenant_id: int) -> list[Endpoint]:
    path = actor.tenant_path
    if tenant_id != actor.tenant_id:
        path = Tenant.objects.values_list("path", flat=True).get(pk=tenant_id)
    return _at_path(path)


def _at_path(path: str) -> list[Endpoint]:
    return list(_endpoints(above=chain_of(path)))


_endpoints = Prepared(lambda above: Endpoint.objects.filter(tenant_id__in=above, is_enabled=True).order_by("pk"))


def _message(tenant_id: int, event_type: str, now: datetime, data: dict[str, str]) -> Message:
    timestamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps({"type": event_type, "timestamp": timestamp, "data": data}, separators=(",", ":"))
    return Message(uid=new_uid(), tenant_id=tenant_id, type=event_type, body=body)


def _data(row: models.Model, tenant_uid: str) -> dict[str, str]:
    """Return which thing it is, and no more: what it is now, whoever may read it asks the API."""
    name = row._meta.model_name
    return {
        "object": OBJECTS.get(name, name),
        "id": f"{PREFIXES[name]}_{row.uid}",
        "name": _name(row),
        "tenant_id": f"ten_{tenant_uid}",
    }


def _name(row: models.Model) -> str:
    for column in ("email", "domain_name", "name"):
        if hasattr(row, column):
            return getattr(row, column)
    return aliases.name_of(row) if hasattr(row, "alias_email") else ""
