"""Services that crash, that do not start, that will not stop, and that a killed supervisor left behind."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.supervisor import Service, StepFailed, Supervisor, _start_time, end_leftovers


class Scene:
    """A supervisor over shell scripts, and the lines it printed."""

    def __init__(self, folder: Path):
        self.folder, self.lines = folder, []
        self.supervisor: Supervisor

    def run(self, script: str, **more) -> Supervisor:
        ready = self.folder / "ready"
        service = Service(
            name="postbox",
            command=["sh", "-c", f"cd {self.folder}; {script}"],
            ready=ready.exists,
            log=self.folder / "postbox.log",
            **{"start_seconds": 5, **more},
        )
        self.supervisor = Supervisor([service], self.folder / "pids.json", self.lines.append)
        return self.supervisor

    def process(self) -> int:
        return self.supervisor.keepers["postbox"].process.pid


@pytest.fixture
def scene(tmp_path: Path):
    scene = Scene(tmp_path)
    yield scene
    scene.supervisor.stop_all()


def eventually(true: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_crashed_service_comes_back_with_a_printed_line(scene):
    returns = []
    supervisor = scene.run("touch ready; exec sleep 60", returned=lambda: returns.append("returned"))
    supervisor.start("postbox")
    crashed = scene.process()

    subprocess.run(["kill", "-KILL", str(crashed)], check=True)
    eventually(lambda: returns)

    assert scene.process() != crashed
    log = scene.folder / "postbox.log"
    assert scene.lines == [f"postbox ended with status -9; it starts again in 0.5 s. Log: {log}", "postbox is back"]


def test_service_that_keeps_crashing_waits_longer_each_time(scene):
    supervisor = scene.run("touch ready; sleep 0.1; exit 3")
    supervisor.start("postbox")

    eventually(lambda: sum("starts again in" in line for line in scene.lines) == 3)

    waits = [line.split(" in ")[1].split(" s.")[0] for line in scene.lines if "starts again" in line]
    assert waits == ["0.5", "1", "2"]


def test_service_that_does_not_start_is_named_with_its_log(scene):
    supervisor = scene.run("echo no such table; exit 78")

    with pytest.raises(StepFailed) as failure:
        supervisor.start("postbox")

    assert (failure.value.step, failure.value.why) == ("postbox", "ended with status 78")
    assert failure.value.log.read_text() == "no such table\n"


def test_service_that_never_gets_ready_is_given_up_and_ended(scene):
    supervisor = scene.run("exec sleep 60", start_seconds=0.3)

    with pytest.raises(StepFailed, match=r"not ready after 0\.3 s"):
        supervisor.start("postbox")

    assert not supervisor.is_running("postbox")


def test_children_that_ignore_the_end_are_killed_with_their_parent(scene):
    script = "trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID') > child; touch ready; sleep 60) & wait"
    supervisor = scene.run(script, stop_seconds=0.3)
    supervisor.start("postbox")
    child = int((scene.folder / "child").read_text())
    assert _start_time(child)

    supervisor.stop("postbox")

    assert not supervisor.is_running("postbox")
    eventually(lambda: _start_time(child) is None)


def test_stopped_service_stays_stopped_until_it_is_started(scene):
    supervisor = scene.run("touch ready; exec sleep 60")
    supervisor.start("postbox")

    supervisor.stop("postbox")
    time.sleep(0.7)
    assert not supervisor.is_running("postbox")

    supervisor.start("postbox")
    assert supervisor.is_running("postbox")


def test_next_start_ends_what_a_killed_supervisor_left(tmp_path):
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    pids = tmp_path / "pids.json"
    pids.write_text(json.dumps({"postbox": [left.pid, _start_time(left.pid)]}))
    lines = []

    end_leftovers(pids, lines.append)

    assert left.wait(5) == -signal.SIGTERM
    assert lines == [f"ending postbox (process {left.pid}), left over from an earlier run"]
    assert not pids.exists()


def test_process_that_only_inherited_the_number_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    pids = tmp_path / "pids.json"
    pids.write_text(json.dumps({"postbox": [stranger.pid, "1"]}))

    end_leftovers(pids, print)

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_stopped_in_the_moment_of_a_restart_it_stays_stopped(scene):
    """The process that is told to end is then the former one, and the new one serves at once."""
    supervisor = scene.run("touch ready; exec sleep 60")
    supervisor.start("postbox")
    keeper, crashed = scene.supervisor.keepers["postbox"], scene.process()
    launch = keeper._launch

    def launched_too_late() -> None:
        keeper.ask_to_stop()
        launch()

    keeper._launch = launched_too_late
    subprocess.run(["kill", "-KILL", str(crashed)], check=True)
    keeper._thread.join(5)

    assert not keeper._thread.is_alive()
    assert not supervisor.is_running("postbox")
