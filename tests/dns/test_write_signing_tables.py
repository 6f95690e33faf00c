"""The signer's files follow from the database as a whole."""

import errno
import itertools
import os
import pwd
import stat
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from dns import dkim, operations, tasks
from dns.models import DkimKey, KeyState, Signer, SigningGeneration
from dns.signing import EVERY_OTHER, key_table, signing_table
from dns.signing_folder import SigningFault
from domains.models import Domain
from mailhost import background
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.dns.keys import give_signing_key


def write(thorough: bool = False):
    return operations.write_signing_tables(thorough=thorough)


def signed_domains(dkim_dir: Path) -> list[str]:
    names = [line.split(" ")[0] for line in (dkim_dir / "SigningTable").read_text().splitlines()]
    assert names[0] == EVERY_OTHER
    return names[1:]


def key_files(dkim_dir: Path) -> list[str]:
    return sorted(path.name for path in (dkim_dir / "keys").iterdir())


def key_of(domain: Domain) -> DkimKey:
    with every_tenant("a test looks"):
        return DkimKey.objects.filter(domain=domain).latest("pk")


def change(row, **columns) -> None:
    with every_tenant("a test changes what operations would"):
        type(row).objects.filter(pk=row.pk).update(**columns)


@pytest.fixture
def keyed(verified):
    """Makes verified domains that have their key."""

    def make(tenant, name: str, **columns) -> Domain:
        domain = verified(tenant, name, **columns)
        give_signing_key(domain.pk)
        return domain

    return make


@pytest.fixture
def ready_made_keys(monkeypatch) -> None:
    """Making keys takes most of the time of a test that is about writing them."""
    pairs = itertools.cycle([dkim.make_key() for _ in range(4)])
    monkeypatch.setattr(dkim, "make_key", lambda: next(pairs))


def assert_files_equal_the_database(dkim_dir: Path) -> None:
    with every_tenant("a test compares"):
        rows = operations.signing_rows()
    signing = [row for row in rows if row.signs]
    assert (dkim_dir / "SigningTable").read_text() == signing_table(signing)
    assert (dkim_dir / "KeyTable").read_text() == key_table(signing, dkim_dir / "keys")
    assert key_files(dkim_dir) == sorted(row.file_name for row in rows)


def test_a_verified_domain_with_a_key_signs(acme, keyed, dkim_dir):
    domain = keyed(acme, "acme.example")

    outcome = write()

    key = key_of(domain)
    name = f"{key.selector}._domainkey.acme.example"
    file = dkim_dir / "keys" / f"{key.selector}.{key.pk}.pem"
    assert (dkim_dir / "SigningTable").read_text() == f"* unusable\nacme.example {name}\n"
    assert (dkim_dir / "KeyTable").read_text() == f"{name} acme.example:{key.selector}:{file}\n"
    assert file.read_bytes() == dkim.decrypt(key.private_key)
    assert (outcome.domains, outcome.skipped, outcome.keys_written) == (1, 0, 1)


def test_every_file_is_the_signers_alone(acme, keyed, dkim_dir):
    keyed(acme, "acme.example")
    signer = pwd.getpwnam("opendkim")
    # What the writer's umask is must not matter.
    before = os.umask(0)

    try:
        write()
    finally:
        os.umask(before)

    files = [path for path in [*dkim_dir.iterdir(), *(dkim_dir / "keys").iterdir()] if path.is_file()]
    assert len(files) >= 4
    for path in files:
        found = path.stat()
        assert (path.name, stat.S_IMODE(found.st_mode), found.st_uid) == (path.name, 0o600, signer.pw_uid)


def test_a_file_is_the_signers_alone_before_it_holds_a_byte(acme, keyed, dkim_dir, monkeypatch):
    keyed(acme, "acme.example")
    seen = []
    true_write = os.write

    def looking_write(descriptor, content):
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            seen.append((found.st_size, stat.S_IMODE(found.st_mode), found.st_uid))
        return true_write(descriptor, content)

    monkeypatch.setattr(os, "write", looking_write)

    write()

    assert len(seen) >= 3
    assert set(seen) == {(0, 0o600, pwd.getpwnam("opendkim").pw_uid)}


@pytest.mark.parametrize(
    "columns",
    [{"verified_at": None, "is_verified": False}, {"deleted_at": "2026-11-01T00:00:00Z"}],
    ids=["unproven", "deleted"],
)
def test_a_domain_that_is_nobodys_is_in_no_table(acme, keyed, dkim_dir, columns):
    domain, other = keyed(acme, "acme.example"), keyed(acme, "other.example")
    write()

    change(domain, **columns)
    write()

    assert signed_domains(dkim_dir) == [other.domain_name]
    assert "acme.example" not in (dkim_dir / "KeyTable").read_text()


def test_a_suspended_domain_stays_in_the_tables_so_that_its_first_mail_afterwards_is_signed(acme, keyed, dkim_dir):
    domain = keyed(acme, "acme.example")
    change(acme, may_sign_in=False, may_send=False, may_receive=False)
    change(domain, is_active=False, is_verified=False)

    write()

    assert signed_domains(dkim_dir) == ["acme.example"]
    assert_files_equal_the_database(dkim_dir)


def test_the_key_of_a_deleted_domain_is_destroyed(acme, keyed, dkim_dir):
    domain = keyed(acme, "acme.example")
    keyed(acme, "other.example")
    write()
    change(domain, deleted_at=timezone.now())

    write()

    key = key_of(domain)
    assert (key.private_key, key.fingerprint, key.state) == ("", "", KeyState.RETIRED)
    assert len(key_files(dkim_dir)) == 1


def test_a_retiring_key_keeps_its_file_and_signs_no_more(acme, keyed, dkim_dir):
    domain = keyed(acme, "acme.example")
    old = key_of(domain)
    change(old, state=KeyState.RETIRING)
    give_signing_key(domain.pk)

    write()

    new = key_of(domain)
    assert new.selector != old.selector
    assert (
        dkim_dir / "SigningTable"
    ).read_text() == f"* unusable\nacme.example {new.selector}._domainkey.acme.example\n"
    assert len(key_files(dkim_dir)) == 2


def test_writing_again_changes_nothing(acme, keyed, dkim_dir):
    keyed(acme, "acme.example")
    write()
    before = {path: path.stat().st_mtime_ns for path in dkim_dir.rglob("*") if path.name != ".lock"}

    outcome = write(thorough=True)

    assert {path: path.stat().st_mtime_ns for path in dkim_dir.rglob("*") if path.name != ".lock"} == before
    assert not outcome.is_changed


@pytest.mark.parametrize(
    "damage",
    [
        {"private_key": "gAAAAA-not-a-token"},
        {"public_key": "TUlJQg=="},
        {"fingerprint": "0" * 64},
        {"selector": "a b:c"},
        {"selector": "../x"},
        {"private_key": ""},
    ],
)
def test_a_domain_whose_key_is_broken_has_a_name_without_a_key(acme, keyed, dkim_dir, caplog, damage):
    broken, sound = keyed(acme, "acme.example"), keyed(acme, "sound.example")
    change(key_of(broken), **damage)

    outcome = write()

    _, unusable, signing = (dkim_dir / "SigningTable").read_text().splitlines()
    assert unusable == "acme.example unusable._domainkey.acme.example"
    assert signing.split(" ")[0] == sound.domain_name
    assert "acme.example" not in (dkim_dir / "KeyTable").read_text()
    assert (outcome.domains, outcome.skipped) == (1, 1)
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    assert "PRIVATE" not in caplog.text


def test_a_domain_name_that_is_none_never_reaches_a_table(acme, keyed, dkim_dir):
    domain, sound = keyed(acme, "acme.example"), keyed(acme, "sound.example")
    with connection.cursor() as cursor:
        # What the table's own rule would refuse: the writer does not rely on it.
        cursor.execute(
            "SET STATEMENT check_constraint_checks = 0 FOR UPDATE mail_domains SET domain_name = %s WHERE id = %s",
            ["*", domain.pk],
        )

    write()

    assert signed_domains(dkim_dir) == [sound.domain_name]
    assert "*" not in (dkim_dir / "KeyTable").read_text()


def test_when_no_key_can_be_decrypted_the_former_tables_stay(acme, keyed, dkim_dir, settings):
    keyed(acme, "acme.example")
    write()
    for path in (dkim_dir / "keys").iterdir():
        path.unlink()
    before = (dkim_dir / "SigningTable").read_text()
    settings.MAILHOST_DKIM_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SigningFault, match="none of 1 keys"):
        write()

    assert (dkim_dir / "SigningTable").read_text() == before != ""


def test_a_key_file_in_place_signs_on_when_the_encryption_key_is_lost(acme, keyed, dkim_dir, settings):
    keyed(acme, "acme.example")
    write()
    settings.MAILHOST_DKIM_KEYS = [Fernet.generate_key().decode()]

    write(thorough=True)

    assert signed_domains(dkim_dir) == ["acme.example"]


@pytest.mark.parametrize(
    ("spoil", "thorough"),
    [
        (lambda path: path.unlink(), False),
        (lambda path: path.write_bytes(b""), False),
        (lambda path: path.chmod(0o644), False),
        (lambda path: os.chown(path, 0, 0), False),
        (lambda path: path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nrubbish\n"), True),
        (lambda path: path.write_bytes(dkim.make_key().private_pem), True),
    ],
    ids=["missing", "empty", "readable by others", "of another owner", "rubbish", "another key"],
)
def test_a_spoiled_key_file_is_mended(acme, keyed, dkim_dir, spoil, thorough):
    domain = keyed(acme, "acme.example")
    write()
    [name] = key_files(dkim_dir)
    spoil(dkim_dir / "keys" / name)

    write(thorough)

    file = dkim_dir / "keys" / name
    assert file.read_bytes() == dkim.decrypt(key_of(domain).private_key)
    assert (stat.S_IMODE(file.stat().st_mode), file.owner()) == (0o600, "opendkim")


@pytest.mark.parametrize("table", ["KeyTable", "SigningTable"])
@pytest.mark.parametrize("content", ["", "* %:x:/etc/passwd\n", "\xff\n"])
def test_a_table_that_somebody_edited_is_mended(acme, keyed, dkim_dir, table, content):
    keyed(acme, "acme.example")
    write()
    (dkim_dir / table).write_text(content, "latin-1")

    write()

    assert_files_equal_the_database(dkim_dir)


def test_what_a_killed_writer_left_is_removed(acme, keyed, dkim_dir):
    keyed(acme, "acme.example")
    for leftover in (dkim_dir / ".new-KeyTable", dkim_dir / "keys/.new-mh202611abcdefghij.5.pem"):
        leftover.write_text("half")
    (dkim_dir / "keys/mh202611zzzzzzzzzz.99.pem").write_text("a key that no row has")

    write()

    assert not list(dkim_dir.rglob(".new-*"))
    assert_files_equal_the_database(dkim_dir)


def test_a_folder_that_others_may_write_is_refused(acme, keyed, dkim_dir):
    keyed(acme, "acme.example")
    dkim_dir.chmod(0o777)

    with pytest.raises(SigningFault, match="only it may write"):
        write()

    assert key_files(dkim_dir) == []


def test_the_generation_that_was_read_is_noted_as_written(acme, keyed, dkim_dir):
    keyed(acme, "acme.example")
    keyed(acme, "other.example")

    write()

    signer = Signer.objects.get()
    assert (SigningGeneration.objects.get().wanted, signer.written, signer.domains) == (2, 2, 2)
    assert signer.written_at is not None


def test_a_change_during_the_writing_stays_wanted(acme, keyed, dkim_dir, monkeypatch):
    keyed(acme, "acme.example")
    true_rows = operations.signing_rows

    def rows_and_then_a_change():
        rows = true_rows()
        operations.want_tables()
        return rows

    monkeypatch.setattr(operations, "signing_rows", rows_and_then_a_change)

    write()

    assert (SigningGeneration.objects.get().wanted, Signer.objects.get().written) == (2, 1)
    assert Job.objects.filter(task=operations.WRITE_TABLES, finished_at=None).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", range(10))
def test_eight_workers_on_different_domains_leave_files_that_equal_the_database(
    acme, verified, dkim_dir, ready_made_keys, run
):
    domains = [verified(acme, f"shop{number}.example") for number in range(16)]
    gone = [verified(acme, f"gone{number}.example") for number in range(8)]
    for domain in gone:
        give_signing_key(domain.pk)
    failures = []

    def work(worker: int):
        try:
            for domain in domains[worker::8]:
                give_signing_key(domain.pk)
                write()
            change(gone[worker], deleted_at=timezone.now())
            write()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[worker]) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert_files_equal_the_database(dkim_dir)
    assert signed_domains(dkim_dir) == sorted(domain.domain_name for domain in domains)
    assert Signer.objects.get().written == SigningGeneration.objects.get().wanted == 24


def test_the_reconciler_asks_once_for_a_thorough_writing(db):
    tasks.reconcile_signing_tables()
    tasks.reconcile_signing_tables()

    assert list(Job.objects.values_list("task", "arguments", "queue")) == [
        ("dns.tasks.write_signing_tables", {"thorough": True}, "signer")
    ]


def test_a_failed_writing_tells_its_reason_and_no_key(acme, keyed, dkim_dir, caplog, monkeypatch):
    domain = keyed(acme, "acme.example")
    monkeypatch.setattr(os, "rename", disk_full)
    job = Job.objects.get(task=operations.WRITE_TABLES)

    background.run(job.pk)

    job.refresh_from_db()
    middle = dkim.decrypt(key_of(domain).private_key).decode().splitlines()[12]
    assert (job.attempts, job.finished_at, job.error) == (1, None, "OSError: [Errno 28] No space left on device")
    assert "job_failed" in caplog.text
    assert middle not in caplog.text + str(list(Job.objects.values()))
    assert not list(dkim_dir.rglob("*.pem"))


def disk_full(*_arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
