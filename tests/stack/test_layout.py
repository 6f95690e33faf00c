"""Where a stack puts its files, and which ports it takes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from stack import layout


@pytest.fixture
def folder():
    """A folder of root's in which every daemon may walk: pytest's own lie below a world-writable one."""
    path = Path(tempfile.mkdtemp(prefix="mh-", dir="/var/lib"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_files_lie_in_the_clone_when_every_daemon_may_enter_it(folder):
    assert layout.runtime_base(folder) == (folder / "var", None)


def test_clone_that_only_root_may_enter_keeps_its_files_elsewhere(folder):
    clone = folder / "private/mailhost"
    clone.mkdir(parents=True)
    clone.parent.chmod(0o700)

    base, why = layout.runtime_base(clone)

    assert base.parent == Path("/var/lib")
    assert base.name.startswith("mailhost-")
    assert why == f"the user mysql may not enter {clone}"


def test_two_private_clones_do_not_share_a_folder(folder):
    folder.chmod(0o700)

    assert layout.runtime_base(folder / "one")[0] != layout.runtime_base(folder / "two")[0]


def test_clone_below_a_world_writable_folder_keeps_its_files_elsewhere(folder):
    folder.chmod(0o1777)

    assert layout.unfit(folder / "mailhost/var") == f"{folder} can be changed by others than root"


def test_clone_of_another_user_keeps_its_files_elsewhere(folder):
    os.chown(folder, 1000, 1000)

    assert layout.unfit(folder / "var") == f"{folder} can be changed by others than root"


def test_clone_with_a_long_name_keeps_its_files_elsewhere(folder):
    clone = folder / ("x" * 60)

    assert layout.unfit(clone / "var") == f"{clone / 'var'} is too long for the name of a Unix socket"


@pytest.mark.parametrize("name", ["my mail", "mail,all", "größer"])
def test_clone_whose_name_no_configuration_file_takes_keeps_its_files_elsewhere(folder, name):
    base, why = layout.runtime_base(folder / name)

    assert base.parent == Path("/var/lib")
    assert why == f"{folder / name / 'var'} has signs in its name that configuration files cannot take"


def test_taken_port_gives_way_to_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        ports = layout.free_ports({**layout.DEMO_PORTS, "smtp": number})
        layout.release_ports(ports.values())

    assert ports["smtp"] > number
    assert len(set(ports.values())) == len(layout.DEMO_PORTS)


def test_a_stack_that_starts_at_the_same_moment_takes_other_ports():
    """Nothing listens yet: another process, of another clone, has only chosen."""
    chooses = "import json, sys; from stack import layout; print(json.dumps(layout.free_ports()), flush=True)"
    other = subprocess.Popen(
        [sys.executable, "-c", f"{chooses}; sys.stdin.read()"],
        cwd=layout.CLONE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    theirs = json.loads(other.stdout.readline())

    ours = layout.free_ports(theirs)
    other.communicate()
    layout.release_ports(ours.values())
    afterwards = layout.free_ports(theirs)
    layout.release_ports(afterwards.values())

    assert set(ours.values()).isdisjoint(theirs.values())
    assert afterwards == theirs


def test_secrets_are_made_once_and_only_root_reads_them(tmp_path):
    path = tmp_path / "secrets.json"

    made = layout.load_secrets(path)

    assert layout.load_secrets(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_an_older_file_lacks_is_made_and_the_others_are_kept(tmp_path):
    path = tmp_path / "secrets.json"
    path.write_text('{"panel": "kept"}')

    made = layout.load_secrets(path)

    assert made["panel"] == "kept"
    assert len(made["redis"]) >= 24
    assert layout.load_secrets(path) == made
