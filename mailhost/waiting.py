"""Room for requests that wait for something outside: long work, a customer's name server.

A request holds a thread while it waits. Half of a process's threads may be held so at one time, a few more while they
wait for that room; the others go on answering, whatever name servers do and however many clients wait.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mailhost.errors import Busy

THREADS = 8
ROOM, BEFORE_THE_DOOR = THREADS // 2, THREADS // 4
# What a name server may take that answers at all.
PATIENCE_SECONDS = 5
_room = threading.BoundedSemaphore(ROOM)
_door = threading.BoundedSemaphore(BEFORE_THE_DOOR)


@contextmanager
def room_to_wait() -> Iterator[bool]:
    """Say whether this request may wait; while it may, it takes the room of one. Never waits for room."""
    is_free = _room.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            _room.release()


@contextmanager
def waiting() -> Iterator[None]:
    """Do inside what waits for others. Raises Busy where there is no room for one more."""
    if not (_room.acquire(blocking=False) or _let_in()):
        raise Busy
    try:
        yield
    finally:
        _room.release()


def _let_in() -> bool:
    """Wait for room, where not too many do so already."""
    if not _door.acquire(blocking=False):
        return False
    try:
        return _room.acquire(timeout=PATIENCE_SECONDS)
    finally:
        _door.release()
