"""What every change has in common: permission, scope, transaction, audit record."""

import inspect
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError, models, transaction
from django.utils.module_loading import import_string

from mailhost.actor import Actor
from mailhost.errors import NotPermitted
from mailhost.recorded import Group, looks_secret
from mailhost.scope import tenant_scope

# By name, because audit/ stands above this file.
AUDIT_RECORDER = "audit.record.record"
# What webhooks tell of it; before the audit record, whose lock is the last that is taken.
OUTBOX = "webhooks.outbox.tell"

# MariaDB's and MySQL's error numbers.
LOCK_WAIT_TIMEOUT, DEADLOCK = 1205, 1213
ATTEMPTS = 3
PAUSE_SECONDS = 0.03


def operation(action: str, *, secrets: tuple[str, ...] = ()) -> Callable:
    """Mark `function(actor, *, ...)` as the one way to do `action`.

    Checks that the actor may, enters the actor's scope, opens a transaction, and writes the audit record from the
    bound arguments, of which those named in `secrets` never reach it, and from what the function returns: the row or
    `Group` that it changed or made, a list of rows, a dictionary of rows (or of lists of them) by their places, a
    tuple of one of these and what else is answered, or None when it removed the row or group it was given.
    Tries again on a deadlock. Raises NotPermitted, or what the function raises.
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)
        named = {name for name, parameter in signature.parameters.items() if _is_secret(name, parameter.annotation)}
        if forgotten := named - set(secrets):
            raise TypeError(f"{action}: name {', '.join(forgotten)} in `secrets`, or it would stand in the record")

        @wraps(function)
        def run(actor: Actor, **arguments: Any) -> Any:
            if not actor.may(action):
                raise NotPermitted(action)
            signature.bind(actor, **arguments)
            details = {name: describe(value) for name, value in arguments.items() if name not in secrets}
            given = [_rows(value) for value in arguments.values() if isinstance(value, (models.Model, Group))]

            def once() -> Any:
                with tenant_scope(actor.tenant_path, actor.domain_ids), transaction.atomic():
                    result = function(actor, **arguments)
                    # Of (row, secret) only the row: what is shown once is never stored.
                    made = _rows(result[0] if isinstance(result, tuple) else result)
                    import_string(OUTBOX)(actor, action, given=given, result=made)
                    import_string(AUDIT_RECORDER)(actor, action, details=details, given=given, result=made)
                return result

            return retried(once)

        run.action = action  # type: ignore[attr-defined]
        return run

    return decorate


def retried(once: Callable[[], Any]) -> Any:
    """Do it, a transaction, again from the start when the database has ended it in favour of somebody else's change."""
    if transaction.get_connection().in_atomic_block:
        # Only whoever began the transaction can begin it again.
        return once()
    for attempt in range(1, ATTEMPTS):
        try:
            return once()
        except OperationalError as error:
            # A deadlock is told at once, a lock that does not come after innodb_lock_wait_timeout (5 s).
            if error.args[0] not in {DEADLOCK, LOCK_WAIT_TIMEOUT}:
                raise
        # Several that begin again at the same moment would meet again.
        time.sleep(random.uniform(0, PAUSE_SECONDS * attempt))  # noqa: S311 - no secret
    return once()


def _rows(value: Any) -> Any:
    """Return the rows that a group, or a dictionary by places, consists of; anything else as it is."""
    if isinstance(value, Group):
        # The oldest, whose id is the group's, stands first in the record.
        return sorted(value.rows, key=lambda row: row.pk)
    if isinstance(value, dict):
        return [row for one in value.values() for row in (one if isinstance(one, list) else [one])]
    return value


def _is_secret(name: str, annotation: Any) -> bool:
    """Whether an argument is a secret by its name; a row is told by its own."""
    is_row = isinstance(annotation, type) and issubclass(annotation, models.Model)
    return looks_secret(name) and not is_row


def describe(value: Any) -> Any:
    """Return what of an argument stands in the audit record: rows by name, everything else as JSON can hold it."""
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [describe(one) for one in value]
    if value is None or isinstance(value, (str, int, bool, float)):
        return value
    return str(value)
