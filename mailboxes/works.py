"""Long work on mailboxes and aliases (longwork.works)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from longwork.works import Run
from mailboxes import doveadm, trial
from mailboxes.alias_batch_operations import NewAlias, create_aliases
from mailboxes.api.aliases import aliases_made
from mailboxes.api.mailboxes import BODY_NAMES, batch_made
from mailboxes.batch_operations import NewMailbox, create_mailboxes
from mailboxes.import_verdicts import differences, targets_present
from mailboxes.models import Mailbox
from mailboxes.operations import change_password, is_set, update_mailbox
from mailboxes.trial_operations import PAUSES_SECONDS, send_test_message
from mailhost.api.batches import ATOMIC
from mailhost.errors import NotPermitted, Refused

# What one step makes: with plain passwords it takes a few seconds.
STEP = 100


def create_batch(run: Run, *, mode: str, items: list[dict[str, Any]]) -> None:
    """Make mailboxes as POST /mailboxes/batch does."""
    _make(run, batch_made, mode, items)


create_batch.body_names = BODY_NAMES  # type: ignore[attr-defined]


def create_alias_batch(run: Run, *, mode: str, items: list[dict[str, Any]]) -> None:
    """Make aliases as POST /aliases/batch does."""
    _make(run, aliases_made, mode, items)


def _make(run: Run, make: Callable[..., dict[str, Any]], mode: str, items: list[dict[str, Any]]) -> None:
    """All or none is one step; else they are made in parts, each as far as the limits allow."""
    start, size = run.done, len(items) if mode == ATOMIC else STEP
    answer = make(run.actor, mode=mode, items=items[start : start + size])
    for place, result in enumerate(answer["data"], start=start):
        run.note(place, result["errors"])
    if run.result:
        answer["created"] += run.result["created"]
        answer["refused"] += run.result["refused"]
        answer["data"] = run.result["data"] + answer["data"]
    run.result = answer
    run.advance(size)


def import_mailboxes(run: Run, *, rows: list[dict[str, Any]]) -> None:
    """Let mailboxes be as rows say: those that are missing are made, as one batch, those that differ are changed."""
    places = range(run.done, min(run.done + STEP, len(rows)))
    some = {place: dict(rows[place]) for place in places}
    usual = {place: row.pop("usual_quota_mb") for place, row in some.items()}
    present = {
        row.email: row for row in Mailbox.objects.live().filter(email__in=[row["address"] for row in some.values()])
    }
    new = {place: row for place, row in some.items() if row["address"] not in present}
    if new:
        items = [NewMailbox(**row, fallback_mb=usual[place]) for place, row in new.items()]
        made, refusals = create_mailboxes(run.actor, items=items, is_atomic=False)
        numbers = list(new)
        _count(run, "created", len(made))
        for number, refusal in refusals.items():
            run.refuse(numbers[number], refusal)
    for place, row in some.items():
        if place not in new:
            with _refusals_noted(run, place):
                _count(run, "changed" if _brought_in_line(run, present[row["address"]], row) else "unchanged")
    run.advance(STEP)


def import_aliases(run: Run, *, rows: list[dict[str, Any]]) -> None:
    """Let aliases lead where rows say; where they lead otherwise, they lead on as well."""
    places = range(run.done, min(run.done + STEP, len(rows)))
    present = targets_present([rows[place]["source"] for place in places])
    items, numbers = [], []
    for place in places:
        source, targets = rows[place]["source"], rows[place]["targets"]
        missing = [target for target in targets if target not in present.get(source, ())]
        if missing:
            items.append(NewAlias(source, missing))
            numbers.append(place)
        else:
            _count(run, "unchanged")
    if items:
        made, refusals = create_aliases(run.actor, items=items, is_atomic=False)
        for number in made:
            _count(run, "changed" if rows[numbers[number]]["source"] in present else "created")
        for number, refusal in refusals.items():
            run.refuse(numbers[number], refusal)
    run.advance(STEP)


def try_delivery(run: Run, *, mailbox_id: int, token: str, language: str) -> None:
    """Send a test message, then look for it in its mailbox; the result says when it came, if it did."""
    if not run.actor.may(send_test_message.action):
        raise NotPermitted(send_test_message.action)
    mailbox = Mailbox.objects.live().select_related("tenant__brand").get(pk=mailbox_id)
    if run.done == 0:
        run.result = {"address": mailbox.email, "sent_at": timezone.now().isoformat()}
        run.result["is_taken"] = trial.send(mailbox, token, language)
        # Without a doveadm there is nobody to ask whether it has come.
        run.advance(1 if run.result["is_taken"] and doveadm.is_there() else run.total)
        return
    time.sleep(PAUSES_SECONDS[run.done - 1])
    if trial.has_come(mailbox, token):
        run.result["arrived_at"] = timezone.now().isoformat()
        run.advance(run.total)
    else:
        run.advance(1)


def _brought_in_line(run: Run, mailbox: Mailbox, row: dict[str, Any]) -> bool:
    """Change what a row says otherwise of a mailbox that is there; return whether that was anything."""
    changes = differences(mailbox, row)
    if changes:
        update_mailbox(run.actor, mailbox=mailbox, **changes)
    secret = {name: row[name] for name in ("password", "password_hash") if name in row}
    if secret and not is_set(mailbox, **secret):
        change_password(run.actor, mailbox=mailbox, **secret)
        return True
    return bool(changes)


@contextmanager
def _refusals_noted(run: Run, place: int) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except NotPermitted:
        raise
    except Refused as refusal:
        run.refuse(place, refusal)


def _count(run: Run, outcome: str, number: int = 1) -> None:
    run.result[outcome] = run.result.get(outcome, 0) + number
