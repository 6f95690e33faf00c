"""Seconds and statements for suspending a tenant with many mailboxes: `python -m bench.suspension`, one JSON line.

A process of its own, because Django's settings belong to one database.
"""

import json
import os
import re
import time
from collections import Counter
from statistics import median

import django
from django.db import connection


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    print(json.dumps(suspend_and_resume()))


def updated_table(sql: str) -> str:
    """Return the table that an UPDATE changes, the one whose name or alias stands after SET; "" for anything else."""
    if not sql.lstrip().upper().startswith("UPDATE"):
        return ""
    target = re.search(r"\bSET\s+`?(\w+)`?\.", sql)
    named = re.search(rf"`?((?:mail|tenants)_\w+)`?\s+(?:AS\s+)?`?{target[1]}`?\b", sql) if target else None
    return named[1] if named else sql.split()[1].strip("`")


def suspend_and_resume() -> dict:
    """Suspend the large tenant, count, resume it. Raises when a mailbox of it still takes mail in between."""
    # Django's models can be imported only after setup.
    from accounts.actors import system_actor  # noqa: PLC0415
    from bench.databases import LARGE_TENANT_ID  # noqa: PLC0415
    from mailboxes.models import Mailbox  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415
    from tenants.operations import resume_tenant, suspend_tenant  # noqa: PLC0415

    updates: Counter[str] = Counter()
    statements = 0

    def count(execute, sql, params, many, context):
        nonlocal statements
        statements += 1
        if table := updated_table(sql):
            updates[table] += 1
        return execute(sql, params, many, context)

    with every_tenant("measuring a suspension"):
        tenant = Tenant.objects.get(pk=LARGE_TENANT_ID)
        actor = system_actor(Tenant.objects.get(parent=None), "the bench")
        mailboxes = Mailbox.objects.filter(domain__tenant=tenant)
        owned = mailboxes.filter(may_receive=True).count()
        with connection.execute_wrapper(count):
            seconds = [timed(suspend_tenant, actor, tenant=tenant, reason="requested")]
        left = mailboxes.filter(may_receive=True).count()
        resume_tenant(actor, tenant=tenant)
        back = mailboxes.filter(may_receive=True).count()
        for _ in range(2):
            seconds.append(timed(suspend_tenant, actor, tenant=tenant, reason="requested"))
            resume_tenant(actor, tenant=tenant)
    if left or back != owned:
        raise RuntimeError(f"{left} mailboxes still took mail; {back} of {owned} do again")
    return {"seconds": median(seconds), "mailboxes": owned, "statements": statements, "updates_by_table": updates}


def timed(operation, actor, **arguments) -> float:
    started = time.perf_counter()
    operation(actor, **arguments)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
