"""What the terminal shows: one line per step, with its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

WIDTH = 66


_in_a_line = False


def say(line: str) -> None:
    """Print a line of its own, also while a step's line waits for its time."""
    global _in_a_line  # noqa: PLW0603 - there is one terminal
    _print(f"{chr(10) if _in_a_line else ''}  {line}\n")
    _in_a_line = False


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Print the step's name, run it, print its time. What the step appends to the list stands in lines below it."""
    global _in_a_line  # noqa: PLW0603
    _print(f"  {name:<{WIDTH}}")
    _in_a_line = True
    notes: list[str] = []
    started = time.monotonic()
    try:
        yield notes
    except BaseException:
        _finish(name, "failed")
        raise
    _finish(name, f"{time.monotonic() - started:6.2f} s")
    for note in notes:
        _print(f"      {note}\n")


def _finish(name: str, how: str) -> None:
    global _in_a_line  # noqa: PLW0603
    _print(f"{how}\n" if _in_a_line else f"  {name:<{WIDTH}}{how}\n")
    _in_a_line = False


def _print(text: str) -> None:
    # A terminal that was closed must not keep the services from being stopped.
    with suppress(OSError):
        print(text, end="", flush=True)
