"""Tables that people bring: kept for a look, then imported in the background. Each row goes through the operations."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from longwork.models import LongWork
from longwork.works import begin
from mailboxes.import_table import ALIASES, Row, Table
from mailboxes.import_verdicts import Verdict, Wanted, wanted_of
from mailboxes.models import Import
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.said import Kept, Said
from mailhost.said import gettext as _
from mailhost.vault import seal, unseal

# One that nobody began is forgotten after a day, one that was imported with its work.
LOOKED_AT = timedelta(days=1)
KEPT = timedelta(days=30)
WORKS = {"mailboxes": "mailboxes.works.import_mailboxes", ALIASES: "mailboxes.works.import_aliases"}


def keep_import(actor: Actor, *, table: Table, file_name: str) -> Import:
    """Keep a table that was read, within the actor's scope, for a look at what would come of it."""
    return Import.objects.create(
        tenant_id=actor.tenant_id,
        kind=table.kind,
        file_name=file_name[:200],
        brought_by=actor.label[:254],
        sealed_rows=seal(json.dumps([asdict(row) for row in table.rows])),
    )


def rows_of(kept: Import) -> tuple[list[Wanted], list[Verdict]]:
    """Return the rows of a table that was kept, as `wanted_of` reads them."""
    return wanted_of(kept.kind, [Row(**row) for row in json.loads(unseal(kept.sealed_rows))])


def begin_import(actor: Actor, *, kept: Import, usual_quota_mb: int) -> LongWork:
    """Import the rows in the background, once this transaction has committed. A mailbox without a size gets its
    domain's usual one, or this one where there is none. Call it inside of a transaction.

    Raises Refused: finished, nothing_to_do.
    """
    wanted, refused = rows_of(kept) if kept.sealed_rows else ([], [])
    if not wanted:
        raise Refused("nothing_to_do", "", _("No row of it can be imported."))
    work = begin(
        actor,
        WORKS[kept.kind],
        kind=f"{kept.kind}.import",
        total=len(wanted),
        rows=[_row_of(kept.kind, one, usual_quota_mb) for one in wanted],
    )
    # Of two who press the button at once, the second finds it taken and rolls its own work back.
    taken = Import.objects.filter(pk=kept.pk, work=None).update(
        work=work,
        sealed_rows="",
        lines=[[one.line, one.address] for one in wanted],
        refused=[[one.line, one.address, one.why, said_of(one.why)] for one in refused],
    )
    if not taken:
        raise Refused("finished", "", _("This table was imported already."))
    return work


def discard_import(kept: Import) -> None:
    """Forget a table that was not imported."""
    Import.objects.filter(pk=kept.pk, work=None).delete()


def forget_imports(now: datetime) -> int:
    """Delete what is older than it is kept, of every tenant in scope; return how many."""
    count, _rows = Import.objects.filter(work=None, created_at__lt=now - LOOKED_AT).delete()
    more, _rows = Import.objects.filter(created_at__lt=now - KEPT).delete()
    return count + more


def said_of(why: str) -> Kept:
    """Return what a refusal is said again by."""
    return why.kept if isinstance(why, Said) else {}


def _row_of(kind: str, one: Wanted, usual_quota_mb: int) -> dict[str, Any]:
    if kind == ALIASES:
        return {"source": one.address, **one.arguments}
    return {"address": one.address, "usual_quota_mb": usual_quota_mb, **one.arguments}
