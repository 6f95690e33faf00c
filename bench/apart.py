"""What is measured in a process of its own, over one of the bench's databases; and production's web server."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.servers import Servers, wait_until
from stack.layout import CLONE
from stack.services import answers_http

WORKERS = 2


def measured_apart(servers: Servers, database: str, module: str, *arguments: object, **environment: str) -> Any:
    """Run `python -m module` over the database; return the JSON of its last line. Raises RuntimeError with its last
    words when it fails."""
    printed = run_apart(servers, database, "-m", module, *map(str, arguments), **environment)
    return json.loads(printed.splitlines()[-1])


def run_apart(servers: Servers, database: str, *command: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, *command],
        check=False,
        cwd=CLONE,
        env={**servers.environment, "MAILHOST_DATABASE_NAME": database, **environment},
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1])
    return ran.stdout


@contextmanager
def web_server() -> Iterator[int]:
    """Serve the panel as production does (`mailhost.serving`), in this process's environment; give its port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "mailhost.wsgi", "--config", "python:mailhost.serving"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)),
        ],
        cwd=CLONE,
        env={**os.environ, "MAILHOST_LOG_LEVEL": "INFO"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not wait_until(lambda: answers_http(port), seconds=30, every=0.1):
            raise RuntimeError("the web server did not start")
        yield port
    finally:
        server.terminate()
        server.wait()
