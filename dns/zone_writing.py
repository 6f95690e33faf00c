"""What both ways into a zone have in common: dynamic updates (`dns.nsupdate`) and an API (`dns.provider_zone`)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from dns.changes import Change, Place

Subject, Result = TypeVar("Subject"), TypeVar("Result")


class NotPublished(Exception):
    """The name server did not do it. The message is for people, and holds no secret."""


class Bound:
    """How long one act may take in all, whatever a server does between two answers."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises NotPublished when there are none."""
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise NotPublished(_("The name server took too long. Try again in a while."))
        return seconds


class ZoneWriter(Protocol):
    """One zone, as one act reads and changes it within its `Bound`. Every method raises NotPublished."""

    zone: str

    def check(self) -> None:
        """See that the zone is there and that the credentials open it; nothing changes."""

    def read(self, places: Iterable[Place]) -> Mapping[Place, tuple[str, ...]]:
        """Return what stands at these names and types, and their aliases, as data in zone-file form; where an alias is
        among the places and none stands, also what keeps one from standing there."""

    def cannot(self, record_type: str, data: str) -> str:
        """Return why such a record cannot stand there, for people; "" where it can."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Make these changes. What is to be taken out must still stand, and no alias must have come."""


def side_by_side(act: Callable[[Subject], Result], subjects: Sequence[Subject], *, at_once: int) -> list[Result]:
    """Return what the act comes to for each, in order, with a few under way at a time; raises what one raises."""
    # What is said of a failure is said in the language of whoever asked, which no thread takes along by itself.
    language = get_language()

    def alone(subject: Subject) -> Result:
        with override(language):
            return act(subject)

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(alone, subjects))
