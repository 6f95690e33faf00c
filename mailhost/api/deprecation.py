"""How a method of an endpoint is taken out of use: said in every answer and in the document, long before it goes.

Within v1 nothing else changes but by addition.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.http import http_date

# Between the day on which it is said and the day on which it may be gone.
NOTICE = timedelta(days=180)


@dataclass(frozen=True)
class Deprecated:
    """Out of use since a day and gone after another; `instead` is the path of what to use, under /api/v1."""

    since: date
    sunset: date
    instead: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"a sunset is at least {NOTICE.days} days after its notice")

    @property
    def headers(self) -> dict[str, str]:
        """Return what answers say: Deprecation (RFC 9745), Sunset (RFC 8594), and what comes after."""
        return {
            "Deprecation": f"@{_seconds(self.since)}",
            "Sunset": http_date(_seconds(self.sunset)),
            "Link": f'</api/v1{self.instead}>; rel="successor-version"',
        }


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
