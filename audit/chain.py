"""The chain of a tenant's events: each hash follows from the event and from the hash before it.

The row of `audit_chain` is locked from the event's INSERT to the end of the transaction, as the last lock of all: what
an operation holds by then it took before, and nothing is waited for afterwards. Two changes of one tenant therefore
wait for each other only while the first commits.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from audit.models import DIGEST_LENGTH, Chain, Event

START = "0" * DIGEST_LENGTH
# What the chain itself writes; everything else of an event is in its digest.
OF_CHAIN = frozenset({"id", "sequence", "previous", "hash"})
FIELDS = [field for field in Event._meta.concrete_fields if field.attname not in OF_CHAIN]

# The database computes the hash, so that no answer has to come back between reading the chain's end and moving it.
INSERT = f"""
INSERT INTO audit_event ({", ".join(f"`{field.column}`" for field in FIELDS)}, sequence, previous, hash)
SELECT {", ".join("%s" for _ in FIELDS)}, length + 1, hash, SHA2(CONCAT(hash, %s), 256)
FROM audit_chain WHERE tenant_id = %s FOR UPDATE
"""  # noqa: S608 - names of columns, not input
ADVANCE = "UPDATE audit_chain SET length = length + 1, hash = SHA2(CONCAT(hash, %s), 256) WHERE tenant_id = %s"
BEGIN = "INSERT IGNORE INTO audit_chain (tenant_id, length, hash) VALUES (%s, 0, %s)"


def append(event: Event) -> None:
    """Write the event as the next of its tenant, inside the transaction of the change: two statements on one way."""
    mark = digest(event)
    values = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in FIELDS]
    if not _append(values, mark, event.tenant_id):
        # A tenant's first: nothing was there to follow, or to advance.
        with connection.cursor() as cursor:
            cursor.execute(BEGIN, [event.tenant_id, START])
        _append(values, mark, event.tenant_id)


def _append(values: list[Any], mark: str, tenant_id: int) -> int:
    """Return how many events were written: one, or none where the tenant has no chain yet."""
    with connection.cursor() as cursor:
        written = cursor.execute(f"{INSERT};{ADVANCE}", [*values, mark, tenant_id, mark, tenant_id])
        # What the second statement has to say, its errors above all.
        cursor.nextset()
        return written


def digest(event: Event) -> str:
    """Return the SHA-256 of what the event says. Empty columns are left out, so that one more column changes none."""
    said = {field.attname: _said(getattr(event, field.attname)) for field in FIELDS}
    text = json.dumps({name: value for name, value in said.items() if value not in (None, "")}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_after(previous: str, mark: str) -> str:
    """Return the hash of the event with this digest after the one with hash `previous`, as the database makes it."""
    return hashlib.sha256(f"{previous}{mark}".encode()).hexdigest()


def heads() -> dict[int, tuple[int, str]]:
    """Return (length, hash) of each tenant's chain in scope, by the tenant's id."""
    rows = Chain.objects.values_list("tenant", "length", "hash")
    return {tenant_id: (length, mark) for tenant_id, length, mark in rows}


def _said(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
