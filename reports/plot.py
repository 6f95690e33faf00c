"""Bars of a plot as numbers: the template draws them, and a table beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures import Day

WIDTH, HEIGHT, GAP = 720, 160, 4


@dataclass(frozen=True)
class Bar:
    """Two rectangles on top of each other, from the upper left corner."""

    day: Day
    x: float
    width: float
    aligned_y: float
    aligned_height: float
    failing_y: float
    failing_height: float


def bars(days: Sequence[Day]) -> list[Bar]:
    highest = max((day.total for day in days), default=0) or 1
    step = WIDTH / max(len(days), 1)
    found = []
    for number, day in enumerate(days):
        aligned = round(HEIGHT * day.aligned / highest, 1)
        failing = round(HEIGHT * day.failing / highest, 1)
        # Three messages among a million are still seen.
        aligned, failing = max(aligned, 1.5 * bool(day.aligned)), max(failing, 1.5 * bool(day.failing))
        found.append(
            Bar(
                day,
                round(number * step, 1),
                round(step - GAP, 1),
                HEIGHT - aligned,
                aligned,
                HEIGHT - aligned - failing,
                failing,
            )
        )
    return found
