"""Which key files have been read and held what they should: what has not changed since need not be read each minute.

A process remembers by inode, size and the time of the last change of either (ctime, which nobody can set), and reads
the oldest of what it remembers again bit by bit, because a disk may lose what nobody wrote.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable

from dns.signing import SigningRow

# So many unchanged files are read again each time.
AGAIN = 1000
Mark = tuple[int, int, int, str]

# By folder and name, the one read longest ago first.
_seen: dict[str, dict[str, Mark]] = defaultdict(dict)


def spoiled(folder: str, files: Iterable[tuple[SigningRow, str, os.stat_result | None]]) -> set[str]:
    """Return the names of files that are there and do not hold their row's key."""
    marks = {
        name: (found.st_ino, found.st_size, found.st_ctime_ns, row.fingerprint) for row, name, found in files if found
    }
    seen = _seen[folder]
    for name in [name for name, mark in seen.items() if marks.get(name) != mark]:
        del seen[name]
    for name in list(seen)[:AGAIN]:
        del seen[name]
    bad = set()
    for name in marks.keys() - seen.keys():
        if _digest(f"{folder}/{name}") == marks[name][-1]:
            seen[name] = marks[name]
        else:
            bad.add(name)
    return bad


def _digest(path: str) -> str:
    """Return the digest of a file's content; "" when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""
