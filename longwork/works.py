"""Work that takes longer than a request, as one object that is started, watched, resumed and canceled.

A work is a function that does ONE STEP, at most a few seconds of it:

    def import_rows(run: Run, *, rows: list[dict]) -> None:
        for place, row in enumerate(rows[run.done : run.done + 50], start=run.done):
            try:
                create_mailbox(run.actor, **row)
                run.result["created"] = run.result.get("created", 0) + 1
            except Refused as refusal:
                run.refuse(place, refusal)
        run.advance(50)

and it is started, in a page, an endpoint or a command, inside or outside of a transaction, by

    work = begin(actor, "mailboxes.works.import_rows", kind="mailboxes.import", total=len(rows), rows=rows)

which returns a `LongWork` at once (`op_` + its uid is its id; a page may show `work.state`, `done`, `total`, `errors`,
`result`, and `cancel(actor, work=work)` ends it). A worker then calls the function, in the scope of `run.actor`, until
`run.done` has reached `total`; one without a `total` is called once.

- A step and its progress are one transaction: killed in the middle, it leaves nothing of the step, and the next worker
  begins it again. So nothing is done twice, and the function keeps no state but `run.done`, `run.position` (a dict for
  its own use) and what it has written.
- A row that cannot be taken is `run.refuse(place, refusal)`: the work goes on. Operations roll their own part back.
- The rights are those of the moment: before each step whoever asked is asked for again (accounts.standing). With the
  key revoked, the membership gone, the tenant suspended, the time of signing in as somebody over, or the act no longer
  the role's, the work ends as `failed`, says why, and keeps its report of what was done until then.
- `Refused` that is not caught ends the work as `failed`, with what its steps before have done. Any other exception is
  tried again, five times in all, and then noted as an error of ours.
- Arguments are JSON. They are encrypted while the work waits and gone when it ends, so they may hold passwords; rows
  are given by id and read again.
- Where the rows' members are called otherwise than an operation's arguments, `import_rows.body_names = {"address":
  "email"}` says so, and pointers follow it.
- `result` is what the work answers, as JSON: a dict to be added to, or whatever the last step puts there.
"""

import json
from typing import Any

import structlog
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework.exceptions import ValidationError

from longwork.models import OPEN, LongWork, State, asker_of
from mailhost.actor import Actor
from mailhost.api.errors import INTERNAL_ERROR, NOT_FOUND, detail_of, errors_of_input
from mailhost.api.rendering import as_json
from mailhost.background import Again, delay, later
from mailhost.errors import NotPermitted, Refused, Suspended
from mailhost.failpoints import failpoint
from mailhost.operation import operation
from mailhost.request_id import request_id
from mailhost.said import Said
from mailhost.said import gettext as _
from mailhost.scope import tenant_scope
from mailhost.vault import seal, unseal

log = structlog.get_logger(__name__)

RUN = "longwork.tasks.run"
# By name, because accounts/ stands above this app: (actor, now) → the actor with the rights of now.
STANDING = "accounts.standing.present"
MOST_ATTEMPTS = 5
# A file that is wrong in every row need not be told row by row to its end.
MOST_ERRORS = 5000


class Run:
    """One step of a work: who asked, how far it is, and what is to be noted."""

    def __init__(self, row: LongWork) -> None:
        self.function = import_string(row.work)
        self.actor: Actor = row.actor
        self.done: int = row.done
        self.total: int | None = row.total
        self.position: dict[str, Any] = dict(row.position)
        self.result: Any = {} if row.result is None else row.result
        self.errors: list[dict[str, Any]] = list(row.errors)

    def advance(self, count: int) -> None:
        """Note that so many more are dealt with, whether taken or refused."""
        self.done = self.done + count if self.total is None else min(self.done + count, self.total)

    def refuse(self, place: int, refusal: Refused) -> None:
        """Note why the row at this place, from 0, was not taken."""
        self.note(place, errors_of_input(refusal, self.function))

    def note(self, place: int, errors: list[dict[str, str]]) -> None:
        """Note the errors of the row at this place, each with `pointer`, `code` and `detail`."""
        room = MOST_ERRORS - len(self.errors)
        self.errors += [{"row": place, **_to_keep(error)} for error in errors[: max(0, room)]]


def begin(actor: Actor, work: str, *, kind: str, total: int | None = None, **arguments: Any) -> LongWork:
    """Have `work` done in the background for the actor, once this transaction has committed."""
    with tenant_scope(actor.tenant_path, actor.domain_ids):
        row = LongWork.objects.create(
            tenant_id=actor.tenant_id,
            kind=kind,
            work=work,
            sealed_arguments=seal(json.dumps(arguments)),
            asker=asker_of(actor),
            user_id=actor.user_id,
            key_id=actor.key_id,
            total=total,
            request_id=request_id(),
        )
    later(RUN, work_id=row.pk)
    return row


@operation("operations.cancel")
def cancel(actor: Actor, *, work: LongWork) -> LongWork:
    """End a work that has not ended; what its steps have done stays. Raises Refused: not_found, finished."""
    if not LongWork.objects.seen_by(actor).filter(pk=work.pk).exists():
        raise Refused("not_found", "", _("This operation does not exist."))
    if not _ended(work, State.CANCELED):
        raise Refused("finished", "", _("This operation has ended already."))
    work.refresh_from_db()
    return work


def give_up(row: LongWork) -> None:
    """End a work that nobody is there for any more, or that an operator has taken from the workers."""
    _ended(row, State.CANCELED)


def step(row: LongWork) -> Again | None:
    """Do the next step of a work. Returns Again while there is more to do.

    The row is not locked meanwhile, so that it can be read and canceled: a step that finds its work ended when it is
    through is rolled back. Whoever calls holds the job's row, so there is one step at a time.
    """
    if row.is_finished:
        return None
    if row.state == State.QUEUED:
        # Seen by those who watch before the first step is through.
        LongWork.objects.open().filter(pk=row.pk).update(state=State.RUNNING, started_at=timezone.now())
        return Again(0)
    try:
        run = Run(row)
        with transaction.atomic():
            _do(row, run)
            failpoint("longwork.step")
            if not _noted(row, run):
                # Canceled meanwhile.
                transaction.set_rollback(True)
                return None
    except OperationalError:
        # A deadlock has ended the transaction around us, too; the job is begun again as a whole.
        raise
    except Exception as error:
        return _stopped(row, error)
    return None if _is_through(run) else Again(0)


def _do(row: LongWork, run: Run) -> None:
    before = run.done
    run.actor = import_string(STANDING)(row.actor, now=timezone.now())
    with tenant_scope(run.actor.tenant_path, run.actor.domain_ids):
        run.function(run, **json.loads(unseal(row.sealed_arguments)))
    if run.total is not None and run.done == before and run.done < run.total:
        raise RuntimeError(f"{row.work} did not advance")


def _is_through(run: Run) -> bool:
    return run.total is None or run.done >= run.total


def _noted(row: LongWork, run: Run) -> bool:
    """Write what the step has come to, unless the work was ended meanwhile."""
    figures = {
        "done": run.done,
        "position": run.position,
        "result": as_json(run.result),
        "errors": run.errors,
        "attempts": 0,
    }
    if _is_through(run):
        return _ended(row, State.SUCCEEDED, **figures)
    return bool(LongWork.objects.open().filter(pk=row.pk).update(**figures))


def _stopped(row: LongWork, error: Exception) -> Again | None:
    """End a work that was refused; have one that broke tried again."""
    match error:
        case NotPermitted():
            return _fail(row, "not_permitted", error.message)
        case Suspended():
            return _fail(row, "account_suspended", error.message)
        case Refused() | ValidationError():
            errors = errors_of_input(error, import_string(row.work))
            return _fail(row, "validation_failed", detail_of(errors), errors)
        case ObjectDoesNotExist():
            return _fail(row, "not_found", _(NOT_FOUND))
    attempts = row.attempts + 1
    log.error("long_work_failed", work=row.uid, kind=row.kind, attempts=attempts, exc_info=error)
    if attempts >= MOST_ATTEMPTS:
        return _fail(row, "internal_error", _(INTERNAL_ERROR))
    LongWork.objects.filter(pk=row.pk).update(attempts=attempts)
    return Again(delay(attempts).total_seconds(), fault=type(error).__name__)


def _fail(row: LongWork, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> None:
    fault = {"code": code, "detail": detail, "errors": [_to_keep(error) for error in errors or []]}
    _ended(row, State.FAILED, fault=_to_keep(fault))


def _to_keep(error: dict[str, Any]) -> dict[str, Any]:
    """Add what a page needs to say this in the language of who reads it; a worker speaks English."""
    detail = error["detail"]
    return {**error, "said": detail.kept} if isinstance(detail, Said) else error


def _ended(row: LongWork, state: State, **columns: Any) -> bool:
    """End a work that is open, and forget what it was told. Returns whether it was open."""
    columns |= {"state": state, "finished_at": timezone.now(), "sealed_arguments": ""}
    return bool(LongWork.objects.filter(pk=row.pk, state__in=OPEN).update(**columns))
