"""`python -m stack demo`: start everything, fill a small world, prove that mail works, and stay until Ctrl-C."""

import json
import os
import signal
import time
from contextlib import suppress

from stack.stack import AlreadyRunning, Stack, runner_of
from stack.steps import say, step
from stack.supervisor import StepFailed

LINES_OF_LOG = 12


def demo() -> int:
    """Run the demo. Returns the exit status: 0 after Ctrl-C, 1 when a step failed or it runs already."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    stack = None
    try:
        stack = Stack("demo", say)
        stack.take()
        say("Mailhost, with all its services, on 127.0.0.1")
        if stack.elsewhere:
            say(f"Run-time files go to {stack.home}, because {stack.elsewhere}.")
        stack.up(step)
        stack.run_python("stack.proof", "The demo's world and its proof", show=True)
        stack.publish(demo=json.loads((stack.home / "world.json").read_text()))
        show(stack, time.monotonic() - started)
        while True:
            signal.pause()
    except AlreadyRunning as running:
        say(f"The demo is not started: {running}. `make demo-status` says where it listens.")
        return 1
    except StepFailed as failure:
        report(failure)
        return 1
    except KeyboardInterrupt:
        say("")
        return 0
    finally:
        _stop(stack)


def _interrupt(*_signal) -> None:
    raise KeyboardInterrupt


def _stop(stack: Stack | None) -> None:
    # A second Ctrl-C must not leave half of the services behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if stack is not None and stack.is_ours:
        with step("Stopping everything"):
            stack.down()


def report(failure: StepFailed) -> None:
    """Say which step failed, why, and what its log ends with."""
    say("")
    say(f"FAILED: {failure.step}: {failure.why}")
    if failure.log and failure.log.exists():
        say(f"Its log is {failure.log} and ends with:")
        for line in failure.log.read_text(errors="replace").splitlines()[-LINES_OF_LOG:]:
            say(f"  | {line[:200]}")


def show(stack: Stack, seconds: float) -> None:
    """Print where everything listens and who may sign in."""
    info, people, port = stack.info, stack.info["demo"], stack.ports
    lines = [
        "",
        f"Ready after {seconds:.1f} s. Everything listens on 127.0.0.1 only.",
        "",
        f"Panel          {info['web']['url']}",
        f"REST API       {info['api']['url']}   (Authorization: Bearer <API key>)",
        f"SMTP           {port['smtp']}   submission {port['submission']} (STARTTLS), {port['submissions']} (TLS)",
        f"IMAP           {port['imap']} (STARTTLS), {port['imaps']} (TLS)"
        f"   POP3 {port['pop3s']} (TLS)   ManageSieve {port['managesieve']}",
        f"HTTPS          {port['https']}   (autoconfig.acme.example and the like, at {info['setup_host']})",
        f"DNS            {port['dns']}   MariaDB {port['mysql']}   Redis {port['redis']}",
        f"Outside world  {info['outside']['folder']}   (mail that left)",
        f"TLS            {info['tls']['ca_file']}   (the authority to trust, for {info['tls']['hostname']})",
        f"For programs   {stack.state_file}",
        f"Logs           {info['logs']}",
        "",
    ]
    for line in (*lines, *sign_ins(people), "", "Ctrl-C stops everything."):
        say(line)


def sign_ins(people: dict) -> list[str]:
    """Return one line per sign-in: panel people with their API keys, then mailboxes."""
    panel = [("operator", people["operator"]), ("reseller", people["reseller"])]
    panel += [("customer", customer) for customer in people["customers"]]
    lines = ["Panel sign-ins"]
    lines += [f"  {kind:<10} {one['email']:<28} {one['password']:<26} key {one['api_key']}" for kind, one in panel]
    lines.append("Mailboxes (IMAP, POP3, submission)")
    for customer in (*people["customers"], people["operator"]):
        lines += [f"  {'mailbox':<10} {box['email']:<28} {box['password']}" for box in customer["mailboxes"]]
    return lines


def reset() -> int:
    """Delete the demo's folder. Refuses while the demo runs."""
    stack = Stack("demo", say)
    try:
        stack.take()
    except AlreadyRunning as running:
        say(f"Nothing is deleted: {running}. Stop the demo first.")
        return 1
    try:
        stack.remove()
    finally:
        stack.down()
    say(f"{stack.home} is deleted; `make demo` starts over.")
    return 0


def status() -> int:
    """Say which stacks of this clone run and where. Raises StepFailed."""
    if os.geteuid() != 0:
        raise StepFailed("status", "only root may read where a stack listens, and its passwords")
    found = False
    for state in sorted([*Stack.var().glob("stack.json"), *Stack.var().glob("*/stack.json")]):
        profile = "demo" if state.parent == Stack.var() else state.parent.name
        if runner_of(state.with_name(f"{profile}.lock")) is None:
            say(f"{state} is left over from a run that was killed; the next start mends it.")
            continue
        with suppress(FileNotFoundError):
            # It may stop at this moment.
            info = json.loads(state.read_text())
            say(f"{state}: panel {info['web']['url']}, run by process {info['process']}, logs in {info['logs']}")
            found = True
    if not found:
        say("Nothing runs.")
    return 0
