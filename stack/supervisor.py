"""Start services in order, keep them running, stop them by process id.

Not taken from a library, because what is needed is the order of a start with a real readiness probe, stopping
within a service's own time (OpenDKIM needs 5 s) and use from inside a test: see docs/dependencies.md.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30
# A service that ran this long before it ended starts again with the first delay.
STEADY_SECONDS = 60


class StepFailed(Exception):
    """A step that failed: which, why, and the log that says more."""

    def __init__(self, step: str, why: str, log: Path | None = None):
        super().__init__(f"{step}: {why}" + (f". Log: {log}" if log else ""))
        self.step, self.why, self.log = step, why, log


@dataclass(frozen=True)
class Service:
    """One long-running program. `ready` answers True as soon as it serves; `returned` is called when it is ready
    again after it had been away."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    log: Path
    user: str | None = None
    cwd: Path = Path("/")
    env: dict[str, str] = field(default_factory=dict)
    start_seconds: float = 60
    stop_seconds: float = 10
    returned: Callable[[], None] | None = None


class Keeper:
    """Keeps one service running from start() until stop()."""

    def __init__(self, service: Service, say: Callable[[str], None], changed: Callable[[], None]):
        self.service, self.say, self.changed = service, say, changed
        self.process: subprocess.Popen | None = None
        self.was_away = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the service and return when it is ready; raises StepFailed."""
        if self._thread:
            return
        self._stopping.clear()
        try:
            self._launch()
        except BaseException:
            self._end_process()
            raise
        self._thread = threading.Thread(target=self._keep, name=f"keep {self.service.name}", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        self._stopping.set()
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Stop the service; what does not go in its time is killed with all its children."""
        self.ask_to_stop()
        self._end_process()
        if self._thread:
            self._thread.join()
        self._thread, self.was_away = None, True

    def _launch(self) -> None:
        service = self.service
        identity = {"user": service.user, "group": service.user, "extra_groups": []} if service.user else {}
        with service.log.open("ab") as log:
            self.process = subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=service.cwd,
                env=service.env,
                # Ctrl-C at the terminal must reach the supervisor only; it stops the services in order.
                start_new_session=True,
                **identity,
            )
        self.changed()
        deadline = time.monotonic() + service.start_seconds
        while not service.ready():
            if self.process.poll() is not None:
                raise StepFailed(service.name, f"ended with status {self.process.returncode}", service.log)
            if time.monotonic() > deadline:
                raise StepFailed(service.name, f"not ready after {service.start_seconds:g} s", service.log)
            if self._stopping.wait(0.02):
                raise StepFailed(service.name, "stopped while starting", service.log)
        if self.was_away and service.returned:
            service.returned()
        self.was_away = False

    def _keep(self) -> None:
        delay, started = FIRST_DELAY_SECONDS, time.monotonic()
        while True:
            status = self.process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > STEADY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self.was_away = True
            self.say(
                f"{self.service.name} ended with status {status}; it starts again in {delay:g} s. "
                f"Log: {self.service.log}"
            )
            # What the dead one left running (workers, for instance) holds its ports and sockets.
            _end_group(self.process.pid)
            if self._stopping.wait(delay):
                return
            delay, started = min(delay * 2, LONGEST_DELAY_SECONDS), time.monotonic()
            try:
                self._launch()
            except StepFailed as failure:
                self._end_process()
                if not self._stopping.is_set():
                    self.say(str(failure))
                continue
            if self._stopping.is_set():
                # Whoever stops it has ended the process before this one, and waits for this thread.
                self._end_process()
                return
            self.say(f"{self.service.name} is back")

    def _end_process(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(self.service.stop_seconds)
        except subprocess.TimeoutExpired:
            self.say(f"{self.service.name} did not stop in {self.service.stop_seconds:g} s and is killed")
        _end_group(self.process.pid)
        self.process.wait()
        self.changed()


class Supervisor:
    """The services of one stack in the order of their start. `pid_file` lets the next start end what a killed
    supervisor left behind."""

    def __init__(self, services: list[Service], pid_file: Path, say: Callable[[str], None]):
        self.keepers = {service.name: Keeper(service, say, self._write_pids) for service in services}
        self.pid_file, self.say = pid_file, say
        self._writing = threading.Lock()

    def start(self, *names: str) -> None:
        """Start these services at once and return when all are ready; raises the first one's StepFailed."""
        with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
            try:
                for started in [pool.submit(self.keepers[name].start) for name in names]:
                    started.result()
            except BaseException:
                # Ctrl-C, or one that failed: the others need not become ready any more.
                for name in names:
                    self.keepers[name].ask_to_stop()
                raise

    def stop(self, name: str) -> None:
        self.keepers[name].stop()

    def is_running(self, name: str) -> bool:
        process = self.keepers[name].process
        return process is not None and process.poll() is None

    def stop_all(self, last: tuple[str, ...] = ()) -> None:
        """Stop everything at once, except the services in `last`, which stop after all others."""
        first = [keeper for name, keeper in self.keepers.items() if name not in last]
        for keepers in (first, [self.keepers[name] for name in last if name in self.keepers]):
            for keeper in reversed(keepers):
                keeper.ask_to_stop()
            for keeper in reversed(keepers):
                keeper.stop()
        self.pid_file.unlink(missing_ok=True)

    def _write_pids(self) -> None:
        with self._writing:
            running = {
                name: (keeper.process.pid, _start_time(keeper.process.pid))
                for name, keeper in self.keepers.items()
                if self.is_running(name)
            }
            new = self.pid_file.with_suffix(".new")
            new.write_text(json.dumps(running))
            new.replace(self.pid_file)


def end_leftovers(pid_file: Path, say: Callable[[str], None]) -> None:
    """End the services of an earlier run whose supervisor was killed.

    A process id counts only together with its start time, so that nobody else's process is ever ended.
    """
    if not pid_file.exists():
        return
    recorded = json.loads(pid_file.read_text()).items()
    left = [(name, pid) for name, (pid, began) in recorded if _start_time(pid) == began]
    for name, pid in left:
        say(f"ending {name} (process {pid}), left over from an earlier run")
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_start_time(pid) for _, pid in left):
        time.sleep(0.1)
    for _, pid in left:
        _end_group(pid)
    pid_file.unlink()


def _end_group(leader: int) -> None:
    """Give the children of an ended process a second to follow it, then kill them."""
    try:
        for _ in range(20):
            os.killpg(leader, 0)
            time.sleep(0.05)
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _start_time(pid: int) -> str | None:
    """Return when the process began, in clock ticks since boot (proc(5)); None when it runs no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
