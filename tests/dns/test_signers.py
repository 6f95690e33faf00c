"""The operator sees how far each signer is, is alarmed when one needs a look, and calmed when it mends itself."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dns import operations, tasks
from dns.models import Signer, SigningGeneration
from dns.signers import forget_signer, signer_states
from mailhost.background import Again
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.dns.keys import give_signing_key
from tests.world import make_world

NAME = "mail.mailhost.example"


def state_of_the_signer():
    [state] = signer_states(timezone.now())
    return state


@pytest.fixture
def reported(db):
    """Makes a signer that reported just now: `reported(loaded=3)`."""

    def make(**columns) -> Signer:
        return Signer.objects.create(name=NAME, **{"checked_at": timezone.now(), "domains": 4} | columns)

    return make


def wanted(generation: int, seconds_ago: float) -> None:
    SigningGeneration.objects.create(pk=1, wanted=generation, wanted_at=timezone.now() - timedelta(seconds=seconds_ago))


def test_a_signer_that_has_it_all_is_not_late(reported):
    wanted(3, seconds_ago=500)
    reported(loaded=3)

    state = state_of_the_signer()

    assert (state.generations_behind, state.lag_seconds, state.alarm) == (0, 0, "")
    assert state.sentence == "4 domains sign."


def test_a_change_of_just_now_is_lag_and_no_alarm(reported):
    wanted(5, seconds_ago=10)
    reported(loaded=3)

    state = state_of_the_signer()

    assert (state.generations_behind, state.alarm) == (2, "")
    assert 10 <= state.lag_seconds < 20


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"loaded": 3}, "more than a minute behind"),
        ({"loaded": 5, "problem": "OSError: [Errno 28] No space left on device"}, "No space left"),
        ({"loaded": 5, "checked_at": timezone.now() - timedelta(minutes=4)}, "Nothing was heard"),
        ({"checked_at": None}, "Nothing was heard"),
    ],
    ids=["late", "failing", "silent", "never heard of"],
)
def test_what_needs_a_look_raises_the_alarm(reported, columns, words):
    wanted(5, seconds_ago=70)
    reported(**columns)

    assert words in state_of_the_signer().alarm


@pytest.fixture
def small_disk(dkim_dir) -> Iterator[Path]:
    """A disk of a megabyte and a few dozen files in the place of the signer's folder."""
    options = "size=1m,nr_inodes=64,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", dkim_dir], check=True)
    shutil.chown(dkim_dir, "opendkim", "opendkim")
    yield dkim_dir
    subprocess.run(["umount", "--lazy", dkim_dir], check=True)


def fill_with_bytes(disk: Path) -> None:
    with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def fill_with_files(disk: Path) -> None:
    with suppress(OSError):
        for number in count():
            (disk / f"ballast{number}").touch()


def empty(disk: Path) -> None:
    for ballast in disk.glob("ballast*"):
        ballast.unlink()


def remount(mode: str) -> Callable[[Path], None]:
    return lambda disk: subprocess.run(["mount", "-o", f"remount,{mode}", disk], check=True)


FAULTS = {
    "full": (fill_with_bytes, empty, "No space left on device"),
    "out of inodes": (fill_with_files, empty, "No space left on device"),
    "read-only": (remount("ro"), remount("rw"), "Read-only file system"),
}


@pytest.fixture
def add_domain(acme, verified) -> Callable[[str], None]:
    """Adds a domain whose key may sign."""
    return lambda name: give_signing_key(verified(acme, name).pk)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_that_takes_no_more_alarms_fails_loudly_and_mends_itself(
    add_domain, small_disk, opendkim, caplog, fault
):
    begin, end, words = FAULTS[fault]
    add_domain("acme.example")
    tasks.write_signing_tables()
    calm = state_of_the_signer().alarm
    add_domain("bolt.example")
    stands = snapshot(small_disk)

    begin(small_disk)
    answer = tasks.write_signing_tables()
    alarmed = state_of_the_signer()

    assert calm == ""
    assert isinstance(answer, Again)
    assert words in answer.fault
    assert words in alarmed.alarm
    assert alarmed.failing_since is not None
    assert "signing_tables_not_written" in caplog.text
    assert "d=acme.example;" in opendkim.pass_message("anna@acme.example").signature

    end(small_disk)
    assert snapshot(small_disk) == stands
    tasks.write_signing_tables()

    state = state_of_the_signer()
    assert (state.alarm, state.failing_since, state.generations_behind) == ("", None, 0)
    assert "d=bolt.example;" in opendkim.pass_message("anna@bolt.example").signature


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_daemon_that_does_not_run_is_an_alarm(acme, verified, dkim_dir):
    give_signing_key(verified(acme, "acme.example").pk)

    operations.write_signing_tables()

    assert "does not run" in state_of_the_signer().alarm


def test_a_mail_host_that_is_no_more_can_be_forgotten(reported):
    reported()

    assert (forget_signer(NAME), forget_signer(NAME)) == (True, False)
    assert signer_states(timezone.now()) == []


def browser(tenant, **extra) -> Client:
    user = User.objects.create(email=f"owner@{tenant.name.lower()}.example")
    with every_tenant("a test makes a member"):
        Member.objects.create(tenant=tenant, user=user, role=Role.OWNER)
    client = Client(**extra)
    client.force_login(user)
    return client


def test_the_operator_alone_sees_the_page(reported, plain_static):
    world = make_world()
    reported(problem="OSError: [Errno 28] No space left on device", failing_since=timezone.now())

    operator, rita = (browser(tenant).get("/signing/") for tenant in (world.operator, world.rita))

    shown = operator.content.decode()
    assert (operator.status_code, rita.status_code) == (200, 403)
    assert NAME in shown
    assert "No space left on device" in shown
    assert "Needs a look" in shown


def test_metrics_are_for_this_machine_and_the_operator(reported, plain_static):
    world = make_world()
    wanted(5, seconds_ago=10)
    reported(loaded=3)

    here = Client().get("/metrics")
    by_proxy = Client(headers={"x-forwarded-for": "203.0.113.9"}).get("/metrics")
    far = Client(REMOTE_ADDR="203.0.113.9").get("/metrics")
    customer = browser(world.acme, REMOTE_ADDR="203.0.113.9").get("/metrics")
    operator = browser(world.operator, REMOTE_ADDR="203.0.113.9").get("/metrics")

    assert [answer.status_code for answer in (here, by_proxy, far, customer, operator)] == [200, 403, 403, 403, 200]
    lines = here.content.decode().splitlines()
    assert f'mailhost_signer_generations_behind{{signer="{NAME}"}} 2.0' in lines
    assert f'mailhost_signer_alarm{{signer="{NAME}"}} 0.0' in lines
    assert any(line.startswith(f'mailhost_signer_lag_seconds{{signer="{NAME}"}} 1') for line in lines)
