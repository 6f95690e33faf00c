"""The signer's folder: key files, KeyTable and SigningTable, each replaced whole and in an order in which OpenDKIM
never meets a name without its key, nor a domain of ours without its name. Only a domain whose key is unusable has a
name without a key: its mail waits (451)."""

import fcntl
import hashlib
import os
import pwd
import re
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from dns.dkim import UnusableKey
from dns.signing import KEY_FILE, SigningRow, UnsafeRow, joined_key_tables, key_line, key_table, signing_table

log = structlog.get_logger(__name__)

SIGNER_USER = "opendkim"
KEY_TABLE = "KeyTable"
SIGNING_TABLE = "SigningTable"
# The digest of the tables that the daemon was last told to read.
TOLD = ".told"
LOCK = ".lock"
LOCK_TIMEOUT_SECONDS = 30
TEMPORARY = re.compile(r"\.new-[A-Za-z0-9._-]+")

# Private parts by row: a PEM, or why there is none.
PrivateParts = Callable[[list[SigningRow]], Iterator[tuple[SigningRow, bytes | UnusableKey]]]


class SigningFault(RuntimeError):
    """The files could not be brought up to date; the former set stands."""


@dataclass(frozen=True)
class Outcome:
    """What one writing did: domains that sign, rows without a usable key, and whether the daemon was told."""

    domains: int
    skipped: int
    keys_written: int
    keys_removed: int
    is_changed: bool
    is_told: bool


class SigningFolder:
    """The folder that OpenDKIM reads. It belongs to the signer's user, as does all that is made in it."""

    def __init__(self, path: Path, pid_file: Path) -> None:
        self.path = path
        self.keys = path / "keys"
        self.pid_file = pid_file
        self.uid, self.gid = self._owner()

    def _owner(self) -> tuple[int, int]:
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
    def locked(self) -> Iterator[None]:
        """Hold the folder alone, among all processes of this host. Raises SigningFault when that takes 30 s."""
        self._make_folders()
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._give(descriptor)
            give_up_at = time.monotonic() + LOCK_TIMEOUT_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up_at:
                        raise SigningFault("another writer holds the signing tables") from None
                    time.sleep(0.02)
            yield
        finally:
            # Said aloud, because closing alone would leave the lock to a child process forked meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def write(self, rows: list[SigningRow], private_parts: PrivateParts, *, thorough: bool) -> Outcome:
        """Make the folder say what `rows` say. To be called under `locked`.

        Adding goes key file, KeyTable, SigningTable, reload; removing the other way round. In between KeyTable names
        the keys of both sets, so that a crash anywhere leaves a set that signs, and the next writing goes on from
        there. `thorough` reads every key file instead of looking at its owner, mode and size.
        Raises OSError (disk full, read-only) and SigningFault with the former tables whole.
        """
        self._remove_leftovers()
        safe = list(self._safe(rows))
        placed, written = self._place_keys(safe, private_parts, thorough)
        if rows and not placed:
            raise SigningFault(f"none of {len(rows)} keys is usable: the former tables stay")
        signing = [row for row in placed if row.signs]
        kept = {row.key_id for row in placed}
        unusable = [row for row in rows if row.signs and row.key_id not in kept]
        names, patterns = key_table(signing, self.keys), signing_table(signing, unusable)
        is_changed = self._replace(KEY_TABLE, joined_key_tables(self._read(KEY_TABLE), names))
        is_changed |= self._replace(SIGNING_TABLE, patterns)
        is_told = self._tell(names + patterns)
        is_changed |= self._replace(KEY_TABLE, names)
        removed = self._remove_keys(keep={row.file_name for row in placed})
        return Outcome(
            domains=len({row.domain_name for row in signing}),
            skipped=len(rows) - len(placed),
            keys_written=written,
            keys_removed=removed,
            is_changed=is_changed or bool(written or removed),
            is_told=is_told,
        )

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
        present = {entry.name: entry.stat(follow_symlinks=False) for entry in os.scandir(self.keys)}
        placed, absent = [], []
        for row in rows:
            is_good = self._is_safe_file(present.get(row.file_name)) and (not thorough or self._holds_its_key(row))
            (placed if is_good else absent).append(row)
        written = 0
        for row, part in private_parts(absent):
            if isinstance(part, UnusableKey):
                log.error("signing_key_unusable", key=row.key_id, domain=row.domain_name, reason=str(part))
                continue
            self._put(self.keys, row.file_name, part)
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
            and found.st_uid == self.uid
            and found.st_size > 0
        )

    def _holds_its_key(self, row: SigningRow) -> bool:
        content = (self.keys / row.file_name).read_bytes()
        return hashlib.sha256(content).hexdigest() == row.fingerprint

    def _replace(self, table: str, content: str) -> bool:
        """Replace a table when it says something else. Returns whether it did."""
        path = self.path / table
        found = path.lstat() if path.exists() else None
        if self._is_owned_file(found) and self._read(table) == content:
            return False
        self._put(self.path, table, content.encode("ascii"))
        fsync_folder(self.path)
        return True

    def _is_owned_file(self, found: os.stat_result | None) -> bool:
        return found is not None and stat.S_ISREG(found.st_mode) and found.st_uid == self.uid

    def _read(self, name: str) -> str:
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return ""
        with open(descriptor, encoding="ascii", errors="replace") as table:
            return table.read()

    def _put(self, folder: Path, name: str, content: bytes) -> None:
        """Write a file beside its place and rename it there. It is the signer's, mode 0600, before it holds a byte."""
        temporary = folder / f".new-{name}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._give(descriptor)
                view = memoryview(content)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(temporary, folder / name)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _tell(self, tables: str) -> bool:
        """Make OpenDKIM read the tables again, unless it was told of just these. Returns whether it was told now.

        Without a running daemon there is nobody to tell: it reads the tables when it starts.
        """
        digest = hashlib.sha256(tables.encode("ascii")).hexdigest()
        if self._read(TOLD) == digest:
            return False
        pid = self._daemon()
        if pid is None:
            log.warning("signer_not_running", pid_file=str(self.pid_file))
            return False
        os.kill(pid, signal.SIGUSR1)
        self._put(self.path, TOLD, digest.encode("ascii"))
        return True

    def _daemon(self) -> int | None:
        """Return OpenDKIM's process id; None when its file is left over or names some other program."""
        try:
            pid = int(self.pid_file.read_text("ascii"))
            name = Path(f"/proc/{pid}/comm").read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        return pid if name == "opendkim" else None

    def _remove_keys(self, keep: set[str]) -> int:
        removed = 0
        for entry in os.scandir(self.keys):
            if entry.name not in keep and KEY_FILE.fullmatch(entry.name):
                os.unlink(entry.path)
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
                    os.chown(folder, self.uid, self.gid)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, self.uid) or found.st_mode & 0o022:
                raise SigningFault(f"{folder} is not a folder of the signer's that only it may write")

    def _give(self, descriptor: int) -> None:
        if os.geteuid() == 0:
            os.fchown(descriptor, self.uid, self.gid)


def fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
