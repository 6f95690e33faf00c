"""Places in the code at which a test may stop a process, to kill it just there.

In production there is no such place: without MAILHOST_FAILPOINTS in the environment of the process, `failpoint` does
nothing and never looks at the disk; `manage.py check --deploy` fails when the variable is set. A test names a folder
in it and puts a file there named after the point: whoever reaches the point first takes the file away, leaves its
process id in `<point>.reached`, and waits to be killed.
"""

import os
import signal
from pathlib import Path

VARIABLE = "MAILHOST_FAILPOINTS"
FOLDER = os.environ.get(VARIABLE, "")


def failpoint(name: str) -> None:
    """Wait here to be killed, if a test has asked for it."""
    if FOLDER:
        _stop_where_asked(Path(FOLDER), name)


def _stop_where_asked(folder: Path, name: str) -> None:
    try:
        (folder / name).unlink()
    except FileNotFoundError:
        return
    reached = folder / f"{name}.reached"
    reached.with_suffix(".new").write_text(str(os.getpid()))
    reached.with_suffix(".new").rename(reached)
    os.kill(os.getpid(), signal.SIGSTOP)
