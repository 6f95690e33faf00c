"""The private stack from the command line.

python -m stack demo                 the demo, until Ctrl-C
python -m stack reset                delete the demo's data
python -m stack status               what runs, and where
python -m stack run [-- COMMAND …]   the test stack, until COMMAND has ended or until Ctrl-C
python -m stack up, down             the test stack, left running in the background
"""

import os
import signal
import subprocess
import sys
import time

from stack import demo
from stack.stack import AlreadyRunning, Stack, runner_of
from stack.steps import say, step
from stack.supervisor import StepFailed

READY = "The test stack is ready"


def run(command: list[str]) -> int:
    """Start the test stack; run `command` in its environment, or wait for a signal: SIGHUP starts web, worker and
    beat anew with the code as it is now, SIGINT and SIGTERM end it."""
    stack = Stack("test", say)
    wanted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: wanted.append(number))
    try:
        stack.take()
        # Tests rely on tables of the present migrations and on nobody else's rows.
        stack.empty()
        stack.up(step)
        say(f"{READY}: {stack.state_file} says where everything listens.")
        if command:
            return subprocess.run(command, check=False, env={**os.environ, **stack.environment}).returncode
        while not {signal.SIGINT, signal.SIGTERM} & set(wanted):
            if signal.SIGHUP in wanted:
                wanted.clear()
                stack.restart_python()
            time.sleep(0.5)
    except AlreadyRunning as running:
        say(f"The test stack is not started: {running}.")
        return 1
    except StepFailed as failure:
        demo.report(failure)
        return 1
    finally:
        if stack.is_ours:
            stack.down()
    return 0


def up() -> int:
    """Start the test stack in the background and return once it is ready, or has failed."""
    output = Stack("test", say).state_file.with_name("run.log")
    with output.open("wb") as log:
        runner = subprocess.Popen(
            [sys.executable, "-m", "stack", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while READY not in output.read_text() and runner.poll() is None:
        time.sleep(0.2)
    print(output.read_text(), end="")
    return runner.returncode or 0


def down(profile: str = "test") -> int:
    """Stop the test stack that runs in the background, and wait until it is gone."""
    lock = Stack(profile, say).lock_file
    process = runner_of(lock)
    if process is None:
        say("No test stack runs.")
        return 0
    os.kill(process, signal.SIGTERM)
    while runner_of(lock) == process:
        time.sleep(0.2)
    say("The test stack is stopped.")
    return 0


def main(arguments: list[str]) -> int:
    commands = {"demo": demo.demo, "reset": demo.reset, "status": demo.status, "up": up, "down": down}
    try:
        match arguments:
            case [name] if name in commands:
                return commands[name]()
            case ["run"] | ["run", "--", _, *_]:
                return run(arguments[2:])
    except StepFailed as failure:
        demo.report(failure)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
