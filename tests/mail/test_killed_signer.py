"""Whenever the signer's worker is killed, mail of domains that signed before leaves signed, and what was changed
signs within a minute. Twenty times at each step: `pytest tests/mail/test_killed_signer.py --kill-rounds 20`."""

import dataclasses
import os
import signal
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from pathlib import Path

import pytest

from dns.lookup import look_up
from dns.models import DkimKey, Signer, SigningGeneration
from dns.operations import signing_rows
from dns.signing import EVERY_OTHER, key_table, signing_table
from domains.operations import delete_domain
from mailhost.failpoints import VARIABLE
from mailhost.scope import every_tenant
from tests.mail.client import Post, written
from tests.mail.conftest import make_customer, until_signing
from tests.mail.verifying import refused_by_testmsg, verifies
from tests.stackside import SecondStack

POINTS = (
    "between commit and writing",
    "after the key files",
    "between KeyTable and SigningTable",
    "between writing and reload",
)
RIGHT_AGAIN_WITHIN_SECONDS = 60
BETWEEN_MESSAGES_SECONDS = 0.1


class Flow(threading.Thread):
    """Sends messages of one signed-in person, one after the other, and keeps what was answered."""

    def __init__(self, post: Post, login: tuple[str, str]) -> None:
        super().__init__(daemon=True)
        self.post, self.login = post, login
        self.accepted: list[str] = []
        self.refused: list[Exception] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        with self.post.submission(self.login) as session:
            while not self.is_over.wait(BETWEEN_MESSAGES_SECONDS):
                message = written(self.login[0], "reader@elsewhere.example")
                try:
                    session.sendmail(self.login[0], [message["To"]], message.as_bytes())
                except smtplib.SMTPException as error:
                    self.refused.append(error)
                else:
                    self.accepted.append(message["Message-ID"])

    def end(self) -> None:
        self.is_over.set()
        self.join()


@pytest.fixture
def failpoints(private_stack: SecondStack) -> Iterator[Path]:
    """The folder that tells the second stack's worker where to stop."""
    folder = private_stack.home / "failpoints"
    folder.mkdir(exist_ok=True)
    keeper = private_stack.stack.supervisor.keepers["worker"]
    before = keeper.service
    private_stack.stop("worker")
    keeper.service = dataclasses.replace(before, env=before.env | {VARIABLE: str(folder)})
    private_stack.start("worker")
    yield folder
    private_stack.stop("worker")
    keeper.service = before
    private_stack.start("worker")


@pytest.fixture
def flow_of() -> Iterator[Callable[[Post, tuple[str, str]], Flow]]:
    """Start a person's flow of messages; it ends with the test, also when the test fails."""
    flows = []

    def start(post: Post, login: tuple[str, str]) -> Flow:
        flows.append(Flow(post, login))
        flows[-1].start()
        return flows[-1]

    yield start
    for flow in flows:
        flow.end()


def descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def kill_worker_at(private_stack: SecondStack, failpoints: Path, point: str, change) -> None:
    """Make a change, wait until the worker stands at the point, kill all of it, and start it anew."""
    (failpoints / point).touch()
    change()
    reached = failpoints / f"{point}.reached"
    deadline = time.monotonic() + 120
    while not reached.exists():
        assert time.monotonic() < deadline, f"the worker never came to: {point}"
        time.sleep(0.05)
    reached.unlink()
    process = private_stack.stack.supervisor.keepers["worker"].process
    for pid in descendants(process.pid):
        os.kill(pid, signal.SIGKILL)
    private_stack.stop("worker")
    private_stack.start("worker")


def until_right(seconds: float = RIGHT_AGAIN_WITHIN_SECONDS) -> None:
    wanted = SigningGeneration.objects.get().wanted
    deadline = time.monotonic() + seconds
    while not Signer.objects.filter(loaded__gte=wanted).exists():
        assert time.monotonic() < deadline, f"the signer has not loaded generation {wanted} after {seconds} s"
        time.sleep(0.1)


def assert_files_equal_the_database(dkim_dir: Path) -> None:
    with every_tenant("a test compares"):
        rows = signing_rows()
    signing = [row for row in rows if row.signs]
    assert (dkim_dir / "SigningTable").read_text() == signing_table(signing)
    assert (dkim_dir / "KeyTable").read_text() == key_table(signing, dkim_dir / "keys")
    assert sorted(path.name for path in (dkim_dir / "keys").iterdir()) == sorted(row.file_name for row in rows)
    assert list(dkim_dir.rglob(".new-*")) == []


def assert_signed(post: Post, domain, message_ids: list[str]) -> None:
    """Every message has left with a signature that verifies with the key that the domain shows in DNS."""
    with every_tenant("a test compares"):
        key = DkimKey.objects.signing().get(domain=domain)
    name = f"{key.selector}._domainkey.{domain.domain_name}"
    [text] = look_up(name, "TXT").values
    missing, verified = set(message_ids), set()
    # Each is verified in a few milliseconds, on a busy machine in a tenth of a second.
    deadline = time.monotonic() + 120 + len(missing) / 10
    while missing:
        assert time.monotonic() < deadline, f"{len(missing)} messages did not leave under a signature that verifies"
        for file in set((post.stack.home / "outside").iterdir()) - verified:
            content = file.read_bytes()
            message_id = BytesParser().parsebytes(content, headersonly=True)["Message-ID"]
            # A file that is still being written is looked at again.
            if message_id in missing and verifies(content, name, text):
                verified.add(file)
                missing.discard(message_id)
        time.sleep(0.1)
    assert refused_by_testmsg(verified, name, text) == []


def test_a_worker_killed_at_any_step_costs_no_signature_and_no_message(
    private_stack, failpoints, flow_of, pytestconfig
):
    post = Post(private_stack)
    acme, bolt = (make_customer(private_stack, name) for name in ("acme", "bolt"))
    anna = acme.login("anna")
    dkim_dir = Path(private_stack.info["opendkim"]["key_table"]).parent
    flow = flow_of(post, anna)
    began = time.monotonic()

    for turn in range(pytestconfig.getoption("kill_rounds")):
        for point in POINTS:
            name = f"new{turn}-{POINTS.index(point)}-{bolt.domain.domain_name}"
            added = []
            kill_worker_at(
                private_stack,
                failpoints,
                point,
                lambda name=name, to=added: to.append(
                    bolt.claim(name, waits=False, seconds=RIGHT_AGAIN_WITHIN_SECONDS)
                ),
            )
            until_signing(added[0], RIGHT_AGAIN_WITHIN_SECONDS)
            assert_files_equal_the_database(dkim_dir)
            # Taking away goes the same way, killed at the same place.
            if turn % 4 == 3:
                kill_worker_at(
                    private_stack, failpoints, point, lambda to=added: delete_domain(bolt.actor, domain=to[0])
                )
                until_right()
                assert_files_equal_the_database(dkim_dir)
            print(f"{time.monotonic() - began:.0f} s: round {turn + 1}, killed {point}, {len(flow.accepted)} messages")

    flow.end()
    assert flow.refused == []
    assert len(flow.accepted) > 20
    assert_signed(post, acme.domain, flow.accepted)
    assert (dkim_dir / "SigningTable").read_text().startswith(f"{EVERY_OTHER} ")
