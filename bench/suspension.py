"""Seconds and statements for suspending a tenant with many mailboxes: `python -m bench.suspension`, one JSON line.

A process of its own, because Django's settings belong to one database.
"""

import json
import os
import time

import django
from django.db import connection


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    print(json.dumps(suspend_and_resume()))


def suspend_and_resume() -> dict:
    """Suspend the large tenant, count, resume it. Raises when a mailbox of it still takes mail in between."""
    # Django's models can be imported only after setup.
    from accounts.actors import system_actor  # noqa: PLC0415
    from bench.databases import LARGE_TENANT_ID  # noqa: PLC0415
    from mailboxes.models import Mailbox  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415
    from tenants.operations import resume_tenant, suspend_tenant  # noqa: PLC0415

    updates: dict[str, int] = {}
    statements = 0

    def count(execute, sql, params, many, context):
        nonlocal statements
        statements += 1
        if sql.split(None, 1)[0].upper() == "UPDATE":
            table = sql.split()[1].strip("`")
            updates[table] = updates.get(table, 0) + 1
        return execute(sql, params, many, context)

    with every_tenant("measuring a suspension"):
        tenant = Tenant.objects.get(pk=LARGE_TENANT_ID)
        actor = system_actor()
        mailboxes = Mailbox.objects.filter(domain__tenant=tenant)
        owned = mailboxes.filter(may_receive=True).count()
        with connection.execute_wrapper(count):
            started = time.perf_counter()
            suspend_tenant(actor, tenant=tenant, reason="Measuring")
            seconds = time.perf_counter() - started
        left = mailboxes.filter(may_receive=True).count()
        resume_tenant(actor, tenant=Tenant.objects.get(pk=LARGE_TENANT_ID))
        back = mailboxes.filter(may_receive=True).count()
    if left or back != owned:
        raise RuntimeError(f"{left} mailboxes still took mail; {back} of {owned} do again")
    return {"seconds": seconds, "mailboxes": owned, "statements": statements, "updates_by_table": updates}


if __name__ == "__main__":
    main()
