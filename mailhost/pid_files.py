"""Which process a daemon's pid file names. A number is used again: a file that is left over may name anybody's."""

from pathlib import Path


def process_of(pid_file: Path, program: str) -> int | None:
    """Return the process id in the file; None when the file is left over or names some other program."""
    try:
        pid = int(pid_file.read_text("ascii"))
        name = Path(f"/proc/{pid}/comm").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return pid if name == program else None
