"""Several people at the same moment, each on a connection of their own; and coroutines beside whatever runs here."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import OperationalError, connection

from mailhost.errors import Refused

PATIENCE_SECONDS = 120


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run the acts in threads that start together; return "done" or the refusal's code for each, in order."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[str] = [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        connection.ensure_connection()
        barrier.wait()
        try:
            act()
            outcomes[number] = "done"
        except Refused as refused:
            outcomes[number] = refused.code
        except OperationalError as error:
            outcomes[number] = f"database {error.args[0]}"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return outcomes


def run_apart(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end in a thread of its own.

    Once a test has opened a browser, this process's main thread has an event loop that runs until the session ends.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result(PATIENCE_SECONDS)
