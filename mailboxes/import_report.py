"""What came of an import, row by row, as a table to download."""

from collections.abc import Iterator

from longwork.models import error_here
from longwork.works import MOST_ERRORS
from mailboxes.models import Import
from mailhost import sheets

COLUMNS = ("line", "address", "outcome", "why")
TAKEN, REFUSED, LEFT = "taken", "refused", "not reached"
# A work notes so many refusals and no more; what came of later rows its totals alone tell.
UNTOLD = "taken or refused"


def report_of(kept: Import) -> Iterator[str]:
    """Yield the report of an import whose work has begun, in the order of lines."""
    work = kept.work
    why: dict[int, list[str]] = {}
    for error in work.errors if work else ():
        why.setdefault(error["row"], []).append(error_here(error))
    done = work.done if work else 0
    told = max(why) if work and len(work.errors) >= MOST_ERRORS else done
    rows = [(line, address, REFUSED, reason) for line, address, reason in kept.refusals]
    for place, (line, address) in enumerate(kept.lines):
        reached = TAKEN if place < told else UNTOLD
        outcome = REFUSED if place in why else reached if place < done else LEFT
        rows.append((line, address, outcome, " ".join(why.get(place, ()))))
    return sheets.as_csv(COLUMNS, sorted(rows))
