"""The making of an empty MariaDB, for private stacks and for tests that need a server of their own."""

import subprocess
from pathlib import Path

from stack.services import system_environment
from stack.supervisor import StepFailed

TOLD_CHARACTERS = 2000


def install(data: Path, options: list[str], log: Path) -> None:
    """Make the system tables in the folder `data`, for the user mysql. `options` say where the server finds the rest,
    --no-defaults or --defaults-file first. Raises StepFailed with the end of what the tool said.

    The folder above `data` must be one that mysql may enter. Nothing of the caller's environment counts: below a
    TMPDIR that only root may enter, the server could make no temporary table.
    """
    # Without --skip-test-db everyone could read databases named test_…, and tests of rights would pass in vain.
    rest = ["--user=mysql", f"--datadir={data}", "--auth-root-authentication-method=socket", "--skip-test-db"]
    with log.open("ab") as output:
        ended = subprocess.run(
            ["/usr/bin/mariadb-install-db", *options, *rest],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data.parent,
            env=system_environment(),
        )
    if ended.returncode:
        said = log.read_text(errors="replace")[-TOLD_CHARACTERS:]
        raise StepFailed("mariadb-install-db", f"ended with status {ended.returncode}: {said}", log)
