"""What every change has in common: permission, scope, transaction, audit record."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError, models, transaction
from django.utils.module_loading import import_string

from mailhost.actor import Actor
from mailhost.errors import NotPermitted
from mailhost.scope import tenant_scope

# By name, because tenants/ stands above this file.
AUDIT_RECORDER = "tenants.audit.record"

# MariaDB's and MySQL's error numbers.
LOCK_WAIT_TIMEOUT, DEADLOCK = 1205, 1213
ATTEMPTS = 3


def operation(action: str, *, secrets: tuple[str, ...] = ()) -> Callable:
    """Mark `function(actor, *, ...)` as the one way to do `action`.

    Checks that the actor may, enters the actor's scope, opens a transaction, and writes the audit record from the
    bound arguments; those named in `secrets` never reach it. Tries again on a deadlock. Raises NotPermitted, or what
    the function raises.
    """

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @wraps(function)
        def run(actor: Actor, **arguments: Any) -> Any:
            if not actor.may(action):
                raise NotPermitted(action)
            bound = signature.bind(actor, **arguments)
            shown = {
                name: describe(value)
                for name, value in bound.arguments.items()
                if name != "actor" and name not in secrets
            }

            def once() -> Any:
                with tenant_scope(actor.tenant_path), transaction.atomic():
                    result = function(actor, **arguments)
                    # Of (row, secret) only the row: what is shown once is never stored.
                    made = result[0] if isinstance(result, tuple) else result
                    import_string(AUDIT_RECORDER)(actor, action, shown, made)
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
    for _ in range(ATTEMPTS - 1):
        try:
            return once()
        except OperationalError as error:
            if error.args[0] not in {DEADLOCK, LOCK_WAIT_TIMEOUT}:
                raise
    return once()


def describe(value: Any) -> Any:
    """Return what of an argument stands in the audit record: rows by name, everything else as JSON can hold it."""
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [describe(one) for one in value]
    if value is None or isinstance(value, (str, int, bool, float)):
        return value
    return str(value)
