"""A table of OpenDKIM's in two forms: lines for people, and the Berkeley database that the daemon asks.

OpenDKIM walks a `file` table for each message and holds all of it in memory; a `db` table costs the same for one
domain and for a hundred thousand. Postfix's postmap makes it, since it comes with every mail host and speaks for its
errors; the database carries the digest of the lines that it was made from.
"""

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

from dns.safe_files import Owner, fsync_folder, put, read_text, replacing, settle
from dns.signing import SigningFault

# A balanced tree fills fastest from sorted lines.
KIND = "btree"
CONFIGURATION = Path(__file__).resolve().parent.parent / "deploy/opendkim/postmap"
TIMEOUT_SECONDS = 60
# No domain and no name of a key looks like it.
STAMP = "=made-from"
# Beyond this share of changed lines, making the database anew takes no longer than changing a copy.
FEW = 0.1
# Databases that held what their stamp says, by inode, size, time of the last change, and stamp.
_read_whole: dict[Path, tuple[int, int, int, str]] = {}


class Table:
    """One table below the signer's folder."""

    def __init__(self, folder: Path, name: str, owner: Owner) -> None:
        self.folder, self.name, self.owner = folder, name, owner
        self.database_name = f"{name}.db"
        self.database = folder / self.database_name

    def read(self) -> str:
        """Return the lines; "" when there are none."""
        return read_text(self.folder / self.name)

    def replace(self, content: str, *, thorough: bool = False) -> bool:
        """Make both forms say `content`, the daemon's first. Returns whether one of them had to be changed.

        `thorough` reads the whole database instead of its stamp. Raises OSError and SigningFault; the former stands.
        """
        former = self.read()
        stamp = self._stamp() if not thorough else self._stamp_of_all(content)
        is_changed = False
        if stamp != digest(content):
            self._make_database(former if stamp == digest(former) else None, content)
            is_changed = True
        if former != content or not self._is_owned(self.name):
            put(self.folder, self.name, content.encode("ascii"), self.owner)
            is_changed = True
        if is_changed:
            fsync_folder(self.folder)
        return is_changed

    def _make_database(self, former: str | None, content: str) -> None:
        """Make the database from a copy that holds the lines of `former`, or from nothing."""
        lines = content.splitlines()
        gone: set[str] = set()
        if former is not None:
            before = set(former.splitlines())
            gone, added = before.difference(lines), [line for line in lines if line not in before]
            if len(gone) + len(added) > FEW * len(lines):
                former = None
            else:
                lines = added
        stale = {key(line) for line in gone} - {key(line) for line in lines}

        with replacing(self.folder, self.database_name) as temporary:
            if former is not None:
                shutil.copyfile(self.database, temporary)
                if stale:
                    self._postmap(temporary, "-d", "-", given="".join(f"{name}\n" for name in stale))
            stamped = [*lines, f"{STAMP} {digest(content)}"]
            self._postmap(temporary, "-i", "-r", given="".join(f"{line}\n" for line in stamped))
            settle(temporary, self.owner)

    def _stamp(self) -> str:
        """Return the digest of the lines that the database was made from; "" when it cannot be read."""
        if not self._is_owned(self.database_name):
            return ""
        try:
            return self._postmap(self.database, "-q", STAMP).strip()
        except SigningFault:
            return ""

    def _stamp_of_all(self, content: str) -> str:
        """Return the stamp if the database holds what it should or what it says it was made from, else "".

        One that has not changed since it was read is not read again.
        """
        stamp = self._stamp()
        if stamp != digest(content):
            return stamp
        found = os.lstat(self.database)
        mark = (found.st_ino, found.st_size, found.st_ctime_ns, stamp)
        if _read_whole.get(self.database) == mark:
            return stamp
        try:
            held = {tuple(line.split("\t", 1)) for line in self._postmap(self.database, "-s").splitlines()}
        except SigningFault:
            return ""
        wanted = {tuple(line.split(" ", 1)) for line in [*content.splitlines(), f"{STAMP} {stamp}"]}
        if held != wanted:
            return ""
        _read_whole[self.database] = mark
        return stamp

    def _is_owned(self, name: str) -> bool:
        try:
            found = os.lstat(self.folder / name)
        except FileNotFoundError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_uid == self.owner[0]

    def _postmap(self, database: Path, *arguments: str, given: str = "") -> str:
        """Run postmap on a database and return what it prints. Raises SigningFault with its last words."""
        # It adds ".db" to the name by itself. -n: OpenDKIM's keys end without a zero byte.
        named = f"{KIND}:{str(database).removesuffix('.db')}"
        try:
            ran = subprocess.run(
                ["/usr/sbin/postmap", "-c", CONFIGURATION, "-n", *arguments, named],
                check=False,
                input=given,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                env={"LANG": "C"},
                umask=0o077,
            )
        except subprocess.TimeoutExpired:
            raise SigningFault(f"postmap took longer than {TIMEOUT_SECONDS} s") from None
        # -q says nothing and ends with 1 when the key is missing; -d when one was missing already.
        if ran.stderr or ran.returncode not in (0, 1):
            raise SigningFault(ran.stderr.strip().rpartition("\n")[2] or f"postmap ended with status {ran.returncode}")
        return ran.stdout


def key(line: str) -> str:
    return line.split(" ", 1)[0]


def digest(content: str) -> str:
    return hashlib.sha256(content.encode("ascii", "replace")).hexdigest()
