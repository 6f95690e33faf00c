"""What came of an import, row by row, as a table to download."""

from collections.abc import Iterator

from mailboxes.models import Import
from mailhost import sheets

COLUMNS = ("line", "address", "outcome", "why")
TAKEN, REFUSED, LEFT = "taken", "refused", "not reached"


def report_of(kept: Import) -> Iterator[str]:
    """Yield the report of an import whose work has begun, in the order of lines."""
    work = kept.work
    why: dict[int, list[str]] = {}
    for error in work.errors if work else ():
        why.setdefault(error["row"], []).append(error["detail"])
    done = work.done if work else 0
    rows = [(line, address, REFUSED, reason) for line, address, reason in kept.refused]
    for place, (line, address) in enumerate(kept.lines):
        outcome = REFUSED if place in why else TAKEN if place < done else LEFT
        rows.append((line, address, outcome, " ".join(why.get(place, ()))))
    return sheets.as_csv(COLUMNS, sorted(rows))
