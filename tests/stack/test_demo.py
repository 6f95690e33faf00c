"""What `make demo` promises: its proof, its file for programs, one at a time, and a start over."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from stack import __main__ as stack_command
from stack import demo
from stack.layout import CLONE
from stack.sample_reports import DAYS
from stack.stack import AlreadyRunning, Stack, runner_of
from stack.supervisor import StepFailed
from tests import stackside
from tests.mail.client import Post


@pytest.fixture
def idle_stack():
    """A stack that is laid out and not started."""
    stack = Stack(f"private-{secrets.token_hex(3)}", say=print)
    yield stack
    stack.down()
    stack.remove()


def run_proof(stack: stackside.StackSide) -> subprocess.CompletedProcess:
    environment = {
        **os.environ,
        "MAILHOST_ENV_FILE": stack.info["environment_file"],
        "MAILHOST_STACK": os.environ[stackside.STATE],
        "DJANGO_SETTINGS_MODULE": "mailhost.settings",
    }
    command = [sys.executable, "-m", "stack.proof"]
    return subprocess.run(command, check=False, env=environment, cwd=CLONE, capture_output=True, text=True)


def test_proof_sends_signs_verifies_and_reads_back_and_may_run_again(stack):
    first, second = run_proof(stack), run_proof(stack)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "DKIM-Signature: a=rsa-sha256 d=acme.example" in second.stdout
    assert "GET /api/v1/domains: 200" in second.stdout
    people = json.loads((stack.home / "world.json").read_text())
    assert "mail.mailhost.example: 127.0.0.1, and back" in second.stdout
    assert set(people) == {"operator", "reseller", "customers"}
    assert [customer["domains"] for customer in people["customers"]] == [
        ["acme.example", "acme-shop.example"],
        ["bolt.example"],
    ]
    [_, bolt] = people["customers"]
    ben = (bolt["mailboxes"][0]["email"], bolt["mailboxes"][0]["password"])
    # Read as the tests read mail: by dkimpy and opendkim-testmsg, not by the demo's own words alone.
    assert all(message["DKIM-Signature"] for message in Post(stack).inbox(ben))
    # The owner's address leads to Anna, and stood before the notice was sent.
    anna = people["customers"][0]["mailboxes"][0]
    assert notices_to(Post(stack), (anna["email"], anna["password"])) >= {
        "acme.example: ownership is proven",
        "acme-shop.example: ownership is proven",
    }
    for person in (people["operator"], people["reseller"], *people["customers"]):
        assert {"email", "password", "api_key"} <= set(person)
    acme, bolt = (reports_of(stack, people, number) for number in range(2))
    assert [source["name"] for source in acme["sources"]] == ["out.newsletter.example", "", "mail.mailhost.example"]
    assert [sentence.split()[0] for sentence in acme["obstacles"]] == ["Of", "out.newsletter.example"]
    assert (bolt["next_policy"], bolt["obstacles"]) == ("quarantine", [])
    for reports in (acme, bolt):
        assert sum(day["aligned"] > 0 for day in reports["days"]) == DAYS


def notices_to(post: Post, login: tuple[str, str], count: int = 2, seconds: float = 60) -> set[str]:
    """Return what the notices in an inbox are about, once there are so many: the worker sends them by the way."""
    ends = time.monotonic() + seconds
    while True:
        subjects = {message["Subject"] for message in post.inbox(login)}
        found = {subject for subject in subjects if subject.endswith("ownership is proven")}
        if len(found) >= count or time.monotonic() > ends:
            return found
        time.sleep(0.2)


def reports_of(stack: stackside.StackSide, people: dict, number: int) -> dict:
    """Return what the panel tells one of the demo's customers of its first domain's reports, each counted once."""
    customer = people["customers"][number]
    url = f"{stack.info['api']['url']}/domains/{customer['domains'][0]}/reports/dmarc"
    wanted = Request(url, headers={"Authorization": f"Bearer {customer['api_key']}"})  # noqa: S310 - our own
    with urlopen(wanted, timeout=20) as answer:  # noqa: S310
        return json.load(answer)


def test_second_start_says_so_and_leaves_the_first_alone(idle_stack):
    idle_stack.take()
    second = Stack(idle_stack.profile, say=print)

    with pytest.raises(AlreadyRunning, match=f"started by process {os.getpid()}"):
        second.take()

    second.down()
    assert idle_stack.is_ours


# The demo with one service, in the middle of its start.
STARTING = """
import signal, sys
from stack import demo
from stack.stack import Stack

class OneService(Stack):
    def __init__(self, _profile, say):
        super().__init__(sys.argv[1], say)

    def up(self, step):
        self.configure()
        self.start("redis")
        self.publish()

    def run_python(self, *_what, **_how):
        print("starting", flush=True)
        signal.pause()

demo.Stack = OneService
sys.exit(demo.demo())
"""


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing_running(idle_stack):
    command = [sys.executable, "-c", STARTING, idle_stack.profile]
    with subprocess.Popen(command, cwd=CLONE, stdout=subprocess.PIPE, text=True) as running:
        while running.stdout.readline() != "starting\n":
            assert running.poll() is None
        [[redis, _]] = json.loads((idle_stack.home / "pids.json").read_text()).values()
        was_running = Path("/proc", str(redis)).exists()

        running.send_signal(signal.SIGINT)
        told, status = running.stdout.read(), running.wait(30)

    assert was_running
    assert (status, "Stopping everything" in told) == (0, True)
    assert not Path("/proc", str(redis)).exists()
    assert not idle_stack.state_file.exists()
    # And nothing keeps the next one from starting.
    idle_stack.take()


def test_step_that_fails_is_told_with_the_end_of_its_log(tmp_path, capsys):
    log = tmp_path / "postfix.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)) + "fatal: bad field count\n")

    demo.report(StepFailed("postfix check", "ended with status 1", log))

    told = capsys.readouterr().out
    assert "FAILED: postfix check: ended with status 1" in told
    assert str(log) in told
    assert told.rstrip().endswith("| fatal: bad field count")
    assert "line 3\n" not in told


def test_no_secret_is_in_a_file_that_others_can_read(stack):
    hidden = json.loads((stack.home / "secrets.json").read_text()).values()
    state = Path(os.environ[stackside.STATE])
    assert state.stat().st_mode & 0o077 == 0

    for folder in ("bind", "mariadb", "redis", "postfix/etc", "dovecot/etc", "opendkim/etc", "tls", "log"):
        for path in (stack.home / folder).rglob("*"):
            if path.is_file() and path.stat().st_mode & 0o004 and path.stat().st_size < 1_000_000:
                text = path.read_bytes().decode(errors="replace")
                assert not [secret for secret in hidden if secret in text], path
    for key in (stack.home / "tls").glob("*key*"):
        assert key.stat().st_mode & 0o077 == 0, key


def test_python_processes_of_one_stack_see_nothing_of_another(idle_stack, monkeypatch):
    monkeypatch.setenv("MAILHOST_DATABASE_NAME", "another")

    assert "MAILHOST_DATABASE_NAME" not in idle_stack.environment
    assert idle_stack.environment["MAILHOST_ENV_FILE"] == str(idle_stack.home / "mailhost.env")


def test_a_stack_that_was_killed_is_told_and_the_process_that_has_its_number_is_left_alone(idle_stack, capsys):
    """After a restart of the machine that may be anybody's."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        idle_stack.lock_file.write_text(str(stranger.pid))
        idle_stack.configure()
        idle_stack.publish(process=stranger.pid)

        stopped, shown = stack_command.down(idle_stack.profile), demo.status()

        told = capsys.readouterr().out
        assert (stopped, shown, stranger.poll()) == (0, 0, None)
        assert "No test stack runs." in told
        assert f"{idle_stack.state_file} is left over from a run that was killed" in told
        stranger.kill()


def test_a_running_stack_is_known_by_its_lock(idle_stack):
    assert runner_of(idle_stack.lock_file) is None

    idle_stack.take()

    assert runner_of(idle_stack.lock_file) == os.getpid()
