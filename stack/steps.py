"""What the terminal shows: one line per step, with its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 66


def say(line: str) -> None:
    print(f"  {line}", flush=True)


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Print the step's name, run it, print its time. What the step appends to the list stands in lines below it."""
    print(f"  {name:<{WIDTH}}", end="", flush=True)
    notes: list[str] = []
    started = time.monotonic()
    try:
        yield notes
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:6.2f} s", flush=True)
    for note in notes:
        print(f"      {note}", flush=True)
