"""Effective columns: what daemons read, written in the transaction of whatever changed it."""

from django.utils.module_loading import import_string

# From the root down, because each follows from the ones before. By name, because the apps stand above this file.
STEPS = (
    "tenants.effective.recalculate",
    "domains.effective.recalculate",
    "mailboxes.effective.recalculate",
)


def recalculate(tenant_path: str | None = None, domain_id: int | None = None) -> None:
    """Write the effective columns of a subtree of tenants, of one domain, or (with neither) of everything.

    One set-based UPDATE for each table. Call it inside the transaction of the change.
    """
    for step in STEPS:
        import_string(step)(tenant_path=tenant_path, domain_id=domain_id)
