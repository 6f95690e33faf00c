"""`Prefer` (RFC 7240): whether to answer at once, and how long to wait for the end."""

import re

from rest_framework.request import Request

HEADER, APPLIED = "Prefer", "Preference-Applied"
ASYNC = "respond-async"
WAIT = re.compile(r"wait\s*=\s*\"?(\d{1,6})\"?")
# A waiting request holds a process of ours.
MOST_SECONDS = 10


def preferences(request: Request) -> list[str]:
    """Return the preferences that a request names; what is not known or malformed is passed over, as the RFC wants."""
    return [one.strip().lower() for one in request.headers.get(HEADER, "").split(",")]


def wants_async(request: Request) -> bool:
    return ASYNC in preferences(request)


def seconds_to_wait(request: Request) -> int:
    """Return how long the caller would wait, and we let it: 0 without a word."""
    for one in preferences(request):
        if found := WAIT.fullmatch(one):
            return min(int(found[1]), MOST_SECONDS)
    return 0
