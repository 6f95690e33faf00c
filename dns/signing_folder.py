"""The signer's folder: key files, KeyTable and SigningTable, each replaced whole and in an order in which OpenDKIM
never meets a name without its key, nor a domain of ours without its name. Only a domain whose key is unusable has a
name without a key: its mail waits (451)."""

import fcntl
import os
import pwd
import re
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from dns import seen_files
from dns.dkim import UnusableKey
from dns.safe_files import Owner, fsync_folder, give, put, read_text
from dns.signing import (
    EVERY_OTHER,
    KEY_FILE,
    UNUSABLE,
    FolderHeld,
    SigningFault,
    SigningRow,
    UnsafeRow,
    domain_of_key_line,
    first_word,
    joined_key_tables,
    key_line,
    key_table,
    signing_table,
    with_changes,
)
from dns.tables import Table, digest
from mailhost.failpoints import failpoint
from mailhost.pid_files import process_of

log = structlog.get_logger(__name__)

SIGNER_USER = "opendkim"
KEY_TABLE = "KeyTable"
SIGNING_TABLE = "SigningTable"
# The digest of the tables that the daemon was last told to read.
TOLD = ".told"
# The generation that the folder stands at, and the digest of its tables.
STANDS_AT = ".stands-at"
LOCK = ".lock"
LOCK_TIMEOUT_SECONDS = 30
TEMPORARY = re.compile(r"\.new-[A-Za-z0-9._-]+")
# A milter's greeting: version 6, all actions, every step (the milter protocol's SMFIC_OPTNEG).
GREETING = struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0)
# Told to read its tables, OpenDKIM does so with the next connection.
LOADS_WITHIN_SECONDS = 5

# Private parts by row: a PEM, or why there is none.
PrivateParts = Callable[[list[SigningRow]], Iterator[tuple[SigningRow, bytes | UnusableKey]]]


@dataclass(frozen=True)
class KeysOf:
    """What some domains have: the rows that the signer is to have, and the files of all keys they ever had."""

    wanted: list[SigningRow]
    files: set[str]


@dataclass(frozen=True)
class Outcome:
    """What one writing did: domains that sign, rows without a usable key, and whether the daemon was told."""

    domains: int
    skipped: int
    keys_written: int
    keys_removed: int
    is_changed: bool
    is_told: bool
    is_running: bool
    is_loaded: bool
    """Whether the running daemon has these very tables."""

    @property
    def problem(self) -> str:
        """What somebody should look at; "" when all is well."""
        if not self.is_running:
            return "OpenDKIM does not run, so no mail is accepted for sending."
        if not self.is_loaded:
            return "OpenDKIM keeps its former tables: it cannot read the new ones."
        if self.skipped:
            return f"{self.skipped} keys are unusable: mail of their domains waits. The log names them."
        return ""


class SigningFolder:
    """The folder that OpenDKIM reads. It belongs to the signer's user, as does all that is made in it."""

    def __init__(self, path: Path, pid_file: Path, milter_socket: Path) -> None:
        self.path = path
        self.keys = path / "keys"
        self.pid_file = pid_file
        self.milter_socket = milter_socket
        self.owner = self._owner()
        self.key_table = Table(path, KEY_TABLE, self.owner)
        self.signing_table = Table(path, SIGNING_TABLE, self.owner)

    @classmethod
    def of(cls, parameters: Any) -> "SigningFolder":
        """Return the folder that a mail host's parameters (`mailconfig.parameters`) name."""
        return cls(parameters.dkim_dir, parameters.opendkim_pid_file, parameters.milter_socket)

    def _owner(self) -> Owner:
        """Root writes for the signer's user; anybody else writes as itself and must own the folder."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        try:
            signer = pwd.getpwnam(SIGNER_USER)
        except KeyError:
            found = self.path.stat()
            return found.st_uid, found.st_gid
        return signer.pw_uid, signer.pw_gid

    @contextmanager
    def locked(self, patience: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
        """Hold the folder alone, among all processes of this host. Raises FolderHeld when another one still has it
        after `patience` seconds."""
        self._make_folders()
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            give(descriptor, self.owner)
            give_up_at = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up_at:
                        raise FolderHeld("another writer holds the signing tables") from None
                    time.sleep(0.02)
            yield
        finally:
            # Said aloud, because closing alone would leave the lock to a child process forked meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def prepare(self) -> None:
        """Make the databases that are missing, since OpenDKIM does not start without: from the lines that stand there,
        or so that all mail waits."""
        self._make_folders()
        for table, first in ((self.key_table, ""), (self.signing_table, signing_table([]))):
            if not table.database.exists():
                table.replace(table.read() or first)

    def write(
        self, rows: list[SigningRow], private_parts: PrivateParts, *, thorough: bool, generation: int | None = None
    ) -> Outcome:
        """Make the folder say what `rows` say, which are all of a generation. To be called under `locked`.

        Adding goes key file, KeyTable, SigningTable, reload; removing the other way round. In between KeyTable names
        the keys of both sets, so that a crash anywhere leaves a set that signs, and the next writing goes on from
        there. `thorough` reads key files too, instead of looking at owner, mode and size alone (`dns.seen_files`).
        Raises OSError (disk full, read-only) and SigningFault with the former tables whole.
        """
        self._remove_leftovers()
        safe = list(self._safe(rows))
        placed, written = self._place_keys(safe, private_parts, thorough)
        if rows and not placed:
            raise SigningFault(f"none of {len(rows)} keys is usable: the former tables stay")
        failpoint("after the key files")
        signing, unusable = _apart(rows, placed)
        names, patterns = key_table(signing, self.keys), signing_table(signing, unusable)
        changed = self._replace_tables(names, patterns, thorough=thorough)
        removed = self._remove_keys(keep={row.file_name for row in placed})
        self._note(generation, names + patterns)
        return self._outcome(
            *changed,
            domains=len({row.domain_name for row in signing}),
            skipped=len(rows) - len(placed),
            written=written,
            removed=removed,
        )

    def change(
        self, names: set[str], keys: KeysOf, private_parts: PrivateParts, *, since: int, generation: int
    ) -> Outcome | None:
        """Make a folder that stands at one generation say what a later one says, which changed these domains alone.

        In the same order as `write`, and to be called under `locked`. Returns None when the folder stands elsewhere:
        then it has to be written as a whole.
        """
        key_lines, patterns = self.key_table.read(), self.signing_table.read()
        if read_text(self.path / STANDS_AT) != _mark(since, key_lines + patterns):
            return None
        self._remove_leftovers()
        placed, written = self._place_keys(list(self._safe(keys.wanted)), private_parts, thorough=False)
        failpoint("after the key files")
        signing, unusable = _apart(keys.wanted, placed)
        key_lines = with_changes(key_lines, key_table(signing, self.keys), names, domain_of_key_line)
        patterns = with_changes(patterns, signing_table(signing, unusable), names | {EVERY_OTHER}, first_word)
        changed = self._replace_tables(key_lines, patterns)
        removed = self._unlink(keys.files - {row.file_name for row in placed})
        self._note(generation, key_lines + patterns)
        # The table itself says of how many domains the key is unusable; one line stands for every other name.
        skipped = patterns.count(f" {UNUSABLE}") - 1
        domains = patterns.count("\n") - 1 - skipped
        return self._outcome(*changed, domains=domains, skipped=skipped, written=written, removed=removed)

    def _replace_tables(self, names: str, patterns: str, *, thorough: bool = False) -> tuple[bool, bool, bool]:
        """Bring both tables to the daemon. Returns whether they were changed, whether it was told, and has them."""
        is_changed = self.key_table.replace(joined_key_tables(self.key_table.read(), names), thorough=thorough)
        failpoint("between KeyTable and SigningTable")
        is_changed |= self.signing_table.replace(patterns, thorough=thorough)
        failpoint("between writing and reload")
        is_told, is_loaded = self._tell(names + patterns)
        if self.key_table.replace(names):
            is_changed, is_loaded = True, self._tell(names + patterns)[1]
        return is_changed, is_told, is_loaded

    def _outcome(
        self,
        is_changed: bool,
        is_told: bool,
        is_loaded: bool,
        *,
        domains: int,
        skipped: int,
        written: int,
        removed: int,
    ) -> Outcome:
        return Outcome(
            domains=domains,
            skipped=skipped,
            keys_written=written,
            keys_removed=removed,
            is_changed=is_changed or bool(written or removed),
            is_told=is_told,
            is_running=self._daemon() is not None,
            is_loaded=is_loaded,
        )

    def _note(self, generation: int | None, tables: str) -> None:
        """Note at which generation the folder stands, in a form that holds for these very tables alone."""
        if generation is not None and read_text(self.path / STANDS_AT) != (mark := _mark(generation, tables)):
            put(self.path, STANDS_AT, mark.encode("ascii"), self.owner)

    def _safe(self, rows: Iterable[SigningRow]) -> Iterator[SigningRow]:
        for row in rows:
            problem = self._unsafe(row)
            if problem:
                log.error("signing_row_refused", key=row.key_id, reason=problem)
            else:
                yield row

    def _unsafe(self, row: SigningRow) -> str:
        try:
            key_line(row, str(self.keys))
        except UnsafeRow as error:
            return str(error)
        return ""

    def _place_keys(
        self, rows: list[SigningRow], private_parts: PrivateParts, thorough: bool
    ) -> tuple[list[SigningRow], int]:
        """Return the rows whose key file is in place, and how many files that took."""
        # Plain strings: with a hundred thousand keys, paths that know their parts take most of the time.
        folder = os.fspath(self.keys)
        files = [(row, name, _looked_at(f"{folder}/{name}")) for row, name in ((row, row.file_name) for row in rows)]
        spoiled = seen_files.spoiled(folder, files) if thorough else set()
        placed, absent = [], []
        for row, name, found in files:
            (placed if self._is_safe_file(found) and name not in spoiled else absent).append(row)
        written = 0
        for row, part in private_parts(absent):
            if isinstance(part, UnusableKey):
                log.error("signing_key_unusable", key=row.key_id, domain=row.domain_name, reason=str(part))
                continue
            put(self.keys, row.file_name, part, self.owner)
            placed.append(row)
            written += 1
        if written:
            fsync_folder(self.keys)
        return placed, written

    def _is_safe_file(self, found: os.stat_result | None) -> bool:
        return (
            found is not None
            and stat.S_ISREG(found.st_mode)
            and stat.S_IMODE(found.st_mode) == 0o600
            and found.st_uid == self.owner[0]
            and found.st_size > 0
        )

    def _tell(self, tables: str) -> tuple[bool, bool]:
        """Make OpenDKIM read the tables again, unless it has just these. Returns whether it was told now, and whether
        it has them.

        Without a running daemon there is nobody to tell: it reads the tables when it starts.
        """
        wanted = digest(tables)
        pid = self._daemon()
        if pid is None:
            log.warning("signer_not_running", pid_file=str(self.pid_file))
            return False, False
        if read_text(self.path / TOLD) == wanted and self._has_loaded(pid) is not False:
            return False, True
        os.kill(pid, signal.SIGUSR1)
        put(self.path, TOLD, wanted.encode("ascii"), self.owner)
        return True, self._wake(pid)

    def _wake(self, pid: int) -> bool:
        """Have the daemon do now what it was told, and say whether it has: it keeps the former set when it cannot."""
        give_up_at = time.monotonic() + LOADS_WITHIN_SECONDS
        while True:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(LOADS_WITHIN_SECONDS)
                connection.connect(os.fspath(self.milter_socket))
                connection.sendall(GREETING)
                connection.recv(64)
            if self._has_loaded(pid) is not False:
                return True
            if time.monotonic() > give_up_at:
                log.error("signer_keeps_former_tables", pid=pid)
                return False
            time.sleep(0.05)

    def _has_loaded(self, pid: int) -> bool | None:
        """Say whether the daemon has the present databases open; None when it may not be asked.

        A database that was replaced since is another file, even under the same name.
        """
        try:
            held = {(found.st_dev, found.st_ino) for found in _open_files(pid)}
            present = [os.stat(table.database) for table in (self.key_table, self.signing_table)]
        except OSError:
            return None
        return all((found.st_dev, found.st_ino) in held for found in present)

    def _daemon(self) -> int | None:
        return process_of(self.pid_file, "opendkim")

    def _remove_keys(self, keep: set[str]) -> int:
        with os.scandir(self.keys) as entries:
            extra = {entry.name for entry in entries if entry.name not in keep and KEY_FILE.fullmatch(entry.name)}
        return self._unlink(extra)

    def _unlink(self, names: set[str]) -> int:
        """Remove key files, where they are there. Returns how many were."""
        removed = 0
        for name in names:
            with suppress(FileNotFoundError):
                os.unlink(self.keys / name)
                removed += 1
        if removed:
            fsync_folder(self.keys)
        return removed

    def _remove_leftovers(self) -> None:
        """Remove what a killed writer left. The lock is held, so nobody else is writing."""
        for folder in (self.path, self.keys):
            for entry in os.scandir(folder):
                if TEMPORARY.fullmatch(entry.name):
                    os.unlink(entry.path)

    def _make_folders(self) -> None:
        for folder in (self.path, self.keys):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                if os.geteuid() == 0:
                    os.chown(folder, *self.owner)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, self.owner[0]) or found.st_mode & 0o022:
                raise SigningFault(f"{folder} is not a folder of the signer's that only it may write")


def _apart(rows: list[SigningRow], placed: list[SigningRow]) -> tuple[list[SigningRow], list[SigningRow]]:
    """Return the rows that sign, and those that should and have no usable key."""
    kept = {row.key_id for row in placed}
    return [row for row in placed if row.signs], [row for row in rows if row.signs and row.key_id not in kept]


def _mark(generation: int, tables: str) -> str:
    return f"{generation} {digest(tables)}"


def _looked_at(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _open_files(pid: int) -> Iterator[os.stat_result]:
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        # A connection may end meanwhile.
        with suppress(FileNotFoundError):
            yield os.stat(f"{folder}/{number}")
