"""A signer that is a few changes behind has just those written, and its files equal the database all the same."""

import itertools
import os
from pathlib import Path

import pytest
from django.utils import timezone

from dns import dkim, operations, seen_files
from dns.models import DkimKey, KeyState, Signer, SigningChange, SigningGeneration
from dns.signing import SigningRow, key_table, signing_table
from dns.signing_folder import KeysOf, SigningFolder
from mailhost.scope import every_tenant
from tests.dns.keys import give_signing_key
from tests.dns.test_killed_writer import killed_before, make_row, names_signed


@pytest.fixture
def keyed(acme, verified, monkeypatch):
    """Makes verified domains that sign."""
    pairs = itertools.cycle([dkim.make_key() for _ in range(4)])
    monkeypatch.setattr(dkim, "make_key", lambda: next(pairs))

    def make(name: str):
        domain = verified(acme, name)
        give_signing_key(domain.pk)
        return domain

    return make


@pytest.fixture
def written(keyed, dkim_dir) -> list:
    """Three domains that stand in the files; from now on nothing but changes is read."""
    domains = [keyed(f"{name}.example") for name in ("anvil", "middle", "zinc")]
    operations.write_signing_tables()
    return domains


@pytest.fixture
def changes_alone(written, monkeypatch):
    monkeypatch.setattr(operations, "signing_rows", lambda: pytest.fail("it read the keys of all domains"))
    yield
    monkeypatch.undo()


@pytest.fixture
def named(acme, verified):
    """Makes a further domain that signs, in a change that says which one it is."""

    def make(name: str):
        domain = verified(acme, name)
        give_signing_key(domain.pk, name)
        return domain

    return make


def change(domain_name: str, rows, **columns) -> None:
    with every_tenant("a test changes what operations would"):
        rows.update(**columns)
    operations.want_tables(domain_name)


def keys_of(domain):
    with every_tenant("a test looks"):
        return DkimKey.objects.filter(domain=domain)


def assert_files_equal_the_database(dkim_dir: Path, broken: tuple[str, ...] = ()) -> None:
    with every_tenant("a test compares"):
        rows = operations.rows_of(DkimKey.objects.on_signers())
    sound = [row for row in rows if row.domain_name not in broken]
    signing = [row for row in sound if row.signs]
    unusable = [row for row in rows if row.domain_name in broken]
    assert (dkim_dir / "SigningTable").read_text() == signing_table(signing, unusable)
    assert (dkim_dir / "KeyTable").read_text() == key_table(signing, dkim_dir / "keys")
    assert sorted(path.name for path in (dkim_dir / "keys").iterdir()) == sorted(row.file_name for row in sound)
    assert list(dkim_dir.rglob(".new-*")) == []
    signer = Signer.objects.get()
    assert signer.written == SigningGeneration.objects.get().wanted
    assert signer.domains == len({row.domain_name for row in signing})


@pytest.mark.parametrize("name", ["added.example", "aaa.example", "zzz.example", "xn--bcher-kva.example"])
def test_one_more_domain(changes_alone, named, dkim_dir, name):
    named(name)

    outcome = operations.write_signing_tables()

    assert (outcome.domains, outcome.keys_written, outcome.keys_removed, outcome.skipped) == (4, 1, 0, 0)
    assert_files_equal_the_database(dkim_dir)


def test_a_deleted_domain_and_its_key_are_gone(changes_alone, written, dkim_dir):
    domain = written[1]
    with every_tenant("a test changes what operations would"):
        change(domain.domain_name, type(domain).objects.filter(pk=domain.pk), deleted_at=timezone.now())

    outcome = operations.write_signing_tables()

    assert (outcome.domains, outcome.keys_removed) == (2, 1)
    assert keys_of(domain).get().private_key == ""
    assert_files_equal_the_database(dkim_dir)


def test_a_rotated_key_keeps_its_file_until_it_retires(changes_alone, written, dkim_dir):
    domain = written[0]
    change(domain.domain_name, keys_of(domain), state=KeyState.RETIRING)
    give_signing_key(domain.pk, domain.domain_name)
    operations.write_signing_tables()
    assert_files_equal_the_database(dkim_dir)
    assert len(list((dkim_dir / "keys").iterdir())) == 4

    change(domain.domain_name, keys_of(domain).filter(state=KeyState.RETIRING), state=KeyState.RETIRED, private_key="")
    operations.write_signing_tables()

    assert_files_equal_the_database(dkim_dir)
    assert len(list((dkim_dir / "keys").iterdir())) == 3


def test_a_broken_key_costs_its_own_domain_alone_until_it_is_mended(changes_alone, named, dkim_dir):
    broken = named("broken.example")
    token = keys_of(broken).get().private_key
    change("broken.example", keys_of(broken), private_key="rubbish")
    outcome = operations.write_signing_tables()
    assert (outcome.domains, outcome.skipped) == (3, 1)
    assert_files_equal_the_database(dkim_dir, broken=("broken.example",))

    named("other.example")
    assert operations.write_signing_tables().skipped == 1
    change("broken.example", keys_of(broken), private_key=token)

    assert operations.write_signing_tables().skipped == 0
    assert_files_equal_the_database(dkim_dir)


def spoil_mark(dkim_dir: Path) -> None:
    (dkim_dir / ".stands-at").unlink()


def spoil_table(dkim_dir: Path) -> None:
    (dkim_dir / "KeyTable").write_text("")


def leave_out_a_change(_dkim_dir: Path) -> None:
    SigningChange.objects.filter(domain_name="more.example").delete()


def change_something_else(_dkim_dir: Path) -> None:
    operations.want_tables()


@pytest.mark.parametrize("doubt", [spoil_mark, spoil_table, leave_out_a_change, change_something_else])
def test_where_there_is_doubt_the_whole_set_is_written(written, named, dkim_dir, monkeypatch, doubt):
    read = []
    true_rows = operations.signing_rows
    monkeypatch.setattr(operations, "signing_rows", lambda: read.append(1) or true_rows())
    named("more.example")
    doubt(dkim_dir)

    operations.write_signing_tables()

    assert read == [1]
    assert_files_equal_the_database(dkim_dir)


def test_changes_that_are_long_written_are_forgotten(written, monkeypatch):
    monkeypatch.setattr(operations, "KEPT_CHANGES", 1)

    operations.forget_changes()

    assert [one.generation for one in SigningChange.objects.all()] == [SigningGeneration.objects.get().wanted]


def test_killed_at_any_step_of_a_change_the_next_writing_completes(dkim_dir):
    pairs = [dkim.make_key() for _ in range(3)]
    names = ("goes.example", "comes.example", "stays.example")
    goes, comes, stays = (make_row(number, name, pairs[number]) for number, name in enumerate(names))

    def private_parts(rows: list[SigningRow]):
        return iter([(row, pairs[row.key_id].private_pem) for row in rows])

    def folder() -> SigningFolder:
        return SigningFolder(dkim_dir, dkim_dir.parent / "run/opendkim.pid", dkim_dir.parent / "milter/opendkim.sock")

    def whole(rows: list[SigningRow], generation: int) -> None:
        with folder().locked():
            folder().write(rows, private_parts, thorough=False, generation=generation)

    def changed() -> None:
        keys = KeysOf([comes], {goes.file_name, comes.file_name})
        with folder().locked():
            done = folder().change({goes.domain_name, comes.domain_name}, keys, private_parts, since=1, generation=2)
        if done is None:
            whole([comes, stays], 2)

    step, killed, seen = 0, True, set()
    while killed:
        whole([goes, stays], 1)
        step += 1
        killed = killed_before(step, changed)
        seen.add(tuple(names_signed(dkim_dir)))
        changed()
        assert (dkim_dir / "SigningTable").read_text() == signing_table([comes, stays])
        assert (dkim_dir / "KeyTable").read_text() == key_table([comes, stays], dkim_dir / "keys")
        assert {path.name for path in (dkim_dir / "keys").iterdir()} == {comes.file_name, stays.file_name}
        assert list(dkim_dir.rglob(".new-*")) == []

    assert step > 10
    assert seen == {("goes.example", "stays.example"), ("comes.example", "stays.example")}


def test_a_key_file_is_read_again_only_when_it_has_changed(written, dkim_dir, monkeypatch):
    monkeypatch.setattr(seen_files, "AGAIN", 0)
    read = []
    true_digest = seen_files._digest
    monkeypatch.setattr(seen_files, "_digest", lambda path: read.append(os.path.basename(path)) or true_digest(path))
    operations.write_signing_tables(thorough=True)
    operations.write_signing_tables(thorough=True)
    assert len(read) == 3

    file = next((dkim_dir / "keys").iterdir())
    before = file.stat()
    right = file.read_bytes()
    file.write_bytes(right.replace(right[100:110], b"A" * 10))
    # Whoever spoils a file can set its times, all but one.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    operations.write_signing_tables(thorough=True)

    assert read[3:] == [file.name]
    assert file.read_bytes() == right


def test_unchanged_key_files_are_read_again_in_turn(written, dkim_dir, monkeypatch):
    monkeypatch.setattr(seen_files, "AGAIN", 1)
    operations.write_signing_tables(thorough=True)
    read = []
    true_digest = seen_files._digest
    monkeypatch.setattr(seen_files, "_digest", lambda path: read.append(os.path.basename(path)) or true_digest(path))

    for _ in range(3):
        operations.write_signing_tables(thorough=True)

    assert sorted(read) == sorted(path.name for path in (dkim_dir / "keys").iterdir())
