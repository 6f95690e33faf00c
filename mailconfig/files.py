"""Writing configuration files so that no reader ever sees half of one, and the version before is kept."""

import grp
import os
import pwd
from pathlib import Path

from mailconfig.render import File, Folder

PREVIOUS = ".previous"


def user_number(name: str) -> int:
    """Return the uid of a user's name or number."""
    return int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid


def group_number(name: str) -> int:
    """Return the gid of a group's name or number."""
    return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid


def make_folders(wanted: dict[Path, Folder]) -> None:
    """Create the folders that are missing, and set owner and mode of each."""
    for path, folder in wanted.items():
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, user_number(folder.owner), group_number(folder.group))
        path.chmod(folder.mode)


def differs(path: Path, file: File) -> bool:
    """Return whether what stands at path has another text, owner or mode."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return True
    wanted = (user_number(file.owner), group_number(file.group), file.mode)
    return (state.st_uid, state.st_gid, state.st_mode & 0o7777) != wanted or path.read_text() != file.text


def write(path: Path, file: File) -> None:
    """Put a file in place at once, keeping the one before as <name>.previous."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    # Nobody else can read it before owner and mode are right.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(file.text)
        os.fchown(stream.fileno(), user_number(file.owner), group_number(file.group))
        os.fchmod(stream.fileno(), file.mode)
        stream.flush()
        os.fsync(stream.fileno())
    previous = path.with_name(path.name + PREVIOUS)
    previous.unlink(missing_ok=True)
    if path.exists():
        os.link(path, previous)
    fresh.rename(path)
    _sync_folder(path.parent)


def restore(path: Path) -> None:
    """Undo the last write: put the version before back, or remove a file that had none."""
    previous = path.with_name(path.name + PREVIOUS)
    if previous.exists():
        previous.rename(path)
    else:
        path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
