"""Small line charts, drawn on the server as SVG: shapes are attributes alone, which a strict policy shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, EDGE = 320, 72, 4


@dataclass(frozen=True)
class Chart:
    """What the template draws: the line, the area below it, and the figures for who reads them instead."""

    label: str
    figures: list[tuple[date, int]]
    line: str
    area: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def newest(self) -> int:
        return self.figures[-1][1]

    @property
    def highest(self) -> int:
        return max(value for _, value in self.figures)


def line_chart(label: str, figures: Sequence[tuple[date, int]]) -> Chart | None:
    """Return the chart of these days, or None when there are fewer than two: a point is no line."""
    if len(figures) < 2:
        return None
    highest = max(1, *(value for _, value in figures))
    first, last = figures[0][0].toordinal(), figures[-1][0].toordinal()
    points = [
        (
            EDGE + (WIDTH - 2 * EDGE) * (day.toordinal() - first) / max(1, last - first),
            HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * value / highest,
        )
        for day, value in figures
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Chart(label, list(figures), line, f"{EDGE},{HEIGHT - EDGE} {line} {WIDTH - EDGE},{HEIGHT - EDGE}")
