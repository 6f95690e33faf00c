"""Wherever the writer is killed or the disk fails, what stands signs, and the next writing sets it right."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dns import dkim
from dns.signing import EVERY_OTHER, SigningRow, key_table, signing_table
from dns.signing_folder import SigningFolder

# The calls that change what OpenDKIM could see; a writer may be killed before any of them.
STEPS = ("open", "write", "fsync", "rename", "unlink", "kill")


@pytest.fixture(scope="module")
def pairs() -> list[dkim.KeyPair]:
    return [dkim.make_key() for _ in range(3)]


def make_row(number: int, name: str, pair: dkim.KeyPair) -> SigningRow:
    return SigningRow(number, name, f"mh202611key{number}", dkim.fingerprint(pair.private_pem), signs=True)


@pytest.fixture
def rows(pairs) -> dict[str, SigningRow]:
    names = ("stays.example", "goes.example", "comes.example")
    return {name: make_row(number, name, pairs[number]) for number, name in enumerate(names)}


@pytest.fixture
def private_parts(pairs):
    return lambda wanted: iter([(row, pairs[row.key_id].private_pem) for row in wanted])


def folder_of(dkim_dir: Path) -> SigningFolder:
    return SigningFolder(dkim_dir, dkim_dir.parent / "run/opendkim.pid", dkim_dir.parent / "milter/opendkim.sock")


def write(dkim_dir: Path, rows: list[SigningRow], private_parts) -> None:
    folder = folder_of(dkim_dir)
    with folder.locked():
        folder.write(rows, private_parts, thorough=False)


def killed_before(step: int, work) -> bool:
    """Do `work` in a child that gets SIGKILL before its n-th step; say whether it was killed."""
    child = os.fork()
    if child == 0:
        taken = 0

        def guarded(call):
            def run(*arguments, **options):
                nonlocal taken
                taken += 1
                if taken == step:
                    signal.raise_signal(signal.SIGKILL)
                return call(*arguments, **options)

            return run

        try:
            for name in STEPS:
                setattr(os, name, guarded(getattr(os, name)))
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status != 0


def names_signed(dkim_dir: Path) -> list[str]:
    """Return the domains of the SigningTable, each of which must lead to a whole key."""
    table = dict(line.split(" ") for line in (dkim_dir / "KeyTable").read_text().splitlines())
    signed = []
    for line in (dkim_dir / "SigningTable").read_text().splitlines():
        name, key = line.split(" ")
        if name == EVERY_OTHER:
            continue
        assert b"END PRIVATE KEY" in Path(table[key].split(":")[2]).read_bytes()
        signed.append(name)
    return signed


def test_killed_at_any_step_the_set_that_stands_signs_and_the_next_writing_completes(dkim_dir, rows, private_parts):
    before, after = [rows["stays.example"], rows["goes.example"]], [rows["stays.example"], rows["comes.example"]]
    write(dkim_dir, before, private_parts)
    seen, step, killed = [], 0, True

    while killed:
        step += 1
        killed = killed_before(step, lambda: write(dkim_dir, after, private_parts))
        seen.append(tuple(names_signed(dkim_dir)))
        write(dkim_dir, after, private_parts)
        assert (dkim_dir / "SigningTable").read_text() == signing_table(after)
        assert (dkim_dir / "KeyTable").read_text() == key_table(after, dkim_dir / "keys")
        assert sorted(path.name for path in (dkim_dir / "keys").iterdir()) == sorted(row.file_name for row in after)
        assert not list(dkim_dir.rglob(".new-*"))
        write(dkim_dir, before, private_parts)

    old, new = ("goes.example", "stays.example"), ("comes.example", "stays.example")
    turn = seen.index(new)
    assert step > 15
    assert set(seen[:turn]) == {old}
    assert set(seen[turn:]) == {new}


@pytest.fixture
def tiny_disk(home):
    """A disk of a given size and number of files in the place of the signer's folder."""
    folder = home / "dkim"

    def make(options: str) -> Path:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=0700", "tmpfs", folder], check=True)
        shutil.chown(folder, "opendkim", "opendkim")
        return folder

    yield make
    subprocess.run(["umount", folder], check=False)


@pytest.mark.parametrize("options", ["size=128k", "size=1m,nr_inodes=11"], ids=["no space", "no inodes"])
def test_a_full_disk_leaves_the_former_set_whole_and_recovers_with_space(tiny_disk, rows, private_parts, options):
    folder = tiny_disk(options)
    before, after = [rows["stays.example"]], [rows["stays.example"], rows["comes.example"]]
    write(folder, before, private_parts)
    fill(folder)
    stands = snapshot(folder)

    with pytest.raises(OSError, match="No space left"):
        write(folder, after, private_parts)

    assert snapshot(folder) == stands
    assert names_signed(folder) == ["stays.example"]
    for ballast in folder.glob("ballast*"):
        ballast.unlink()
    write(folder, after, private_parts)
    assert names_signed(folder) == ["comes.example", "stays.example"]


def fill(folder: Path) -> None:
    """Take all that is left of a small disk."""
    number = 0
    while True:
        try:
            (folder / f"ballast{number}").write_bytes(b"x" * 4096)
        except OSError:
            return
        number += 1


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_read_only_disk_is_told_and_the_former_set_stands(tiny_disk, rows, private_parts):
    folder = tiny_disk("size=1m")
    write(folder, [rows["stays.example"]], private_parts)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    stands = snapshot(folder)

    with pytest.raises(OSError, match="Read-only"):
        write(folder, [rows["comes.example"]], private_parts)

    assert snapshot(folder) == stands


def in_a_process_of_its_own(work) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def test_a_second_writer_waits_for_the_first(dkim_dir, rows, private_parts):
    write(dkim_dir, [rows["comes.example"]], private_parts)

    with folder_of(dkim_dir).locked():
        second = in_a_process_of_its_own(lambda: write(dkim_dir, [rows["stays.example"]], private_parts))
        time.sleep(0.3)
        waited, _ = os.waitpid(second, os.WNOHANG)
        held = names_signed(dkim_dir)
    _, status = os.waitpid(second, 0)

    assert (waited, held) == (0, ["comes.example"])
    assert (status, names_signed(dkim_dir)) == (0, ["stays.example"])
