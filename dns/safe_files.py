"""Files that another program reads while they are replaced: never seen half, and never anybody else's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Whose the files are: uid and gid.
Owner = tuple[int, int]
MODE = 0o600


def temporary_name(name: str) -> str:
    """Return under which name a file is made before it takes its place."""
    return f".new-{name}"


def put(folder: Path, name: str, content: bytes, owner: Owner) -> None:
    """Write a file beside its place and rename it there. It is its owner's, mode 0600, before it holds a byte."""
    with replacing(folder, name) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
        try:
            give(descriptor, owner)
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing(folder: Path, name: str) -> Iterator[Path]:
    """Give the block a name to make a file under, and rename that into its place; nothing is left of a failure."""
    temporary = folder / temporary_name(name)
    try:
        yield temporary
        os.rename(temporary, folder / name)
    except Exception:
        with suppress(OSError):
            temporary.unlink()
        raise


def settle(path: Path, owner: Owner) -> None:
    """Make a file that another program wrote its owner's, mode 0600, and safe on disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        give(descriptor, owner)
        os.fchmod(descriptor, MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def give(descriptor: int, owner: Owner) -> None:
    """Root writes for the owner; anybody else writes as itself."""
    if os.geteuid() == 0:
        os.fchown(descriptor, *owner)


def read_text(path: Path) -> str:
    """Return an ASCII file's text; "" when it is missing or no plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    with open(descriptor, encoding="ascii", errors="replace") as file:
        return file.read()


def fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
