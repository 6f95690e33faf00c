"""Long work on mailboxes and aliases (longwork.works)."""

from collections.abc import Callable
from typing import Any

from longwork.works import Run
from mailboxes.api.aliases import aliases_made
from mailboxes.api.mailboxes import BODY_NAMES, batch_made
from mailhost.api.batches import ATOMIC

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
