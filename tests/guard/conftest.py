"""A MariaDB of the guard's own with the product's tables, which tests may stop, and the guard as a process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import MySQLdb
import pytest

from mailboxes.lookups import readable_columns
from stack import mariadb
from stack.layout import CLONE
from stack.services import system_environment
from tests.guard.mta import Connection

PASSWORD = "a-password-of-this-test"
HOSTNAME = "mail.mailhost.example"
# Who may send as what, as the panel would have written it: address, login, may_send_as.
RIGHTS = (
    ("anna@acme.example", "anna@acme.example", 1),
    ("sales@acme.example", "anna@acme.example", 1),
    ("anna@acme-shop.example", "anna@acme.example", 1),
    ("anna@xn--bcher-kva.example", "anna@acme.example", 1),
    ("o'hara@acme.example", "anna@acme.example", 1),
    ("team@acme.example", "anna@acme.example", 1),
    ("team@acme.example", "otto@acme.example", 1),
    ("otto@acme.example", "otto@acme.example", 1),
    ("gone@acme.example", "gone@acme.example", 0),
    ("@acme.example", "anna@acme.example", 0),
    ("ceo@bolt.example", "ceo@bolt.example", 1),
)


class Database:
    """A MariaDB below one folder, with the sender rights of RIGHTS and Postfix's database user."""

    def __init__(self, home: Path, tables: Path) -> None:
        self.home, self.tables = home, tables
        self.socket = home / "sql.sock"
        self.process: subprocess.Popen | None = None
        # As small for the installation as for the running server; its temporary tables lie where mysql may write.
        small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--performance-schema=off"]
        self.options = ["--no-defaults", f"--tmpdir={home}", *small]

    def install(self) -> None:
        mariadb.install(self.home / "data", self.options, self.home / "mariadb-install.log")

    def start(self) -> None:
        places = [f"--datadir={self.home}/data", f"--socket={self.socket}", f"--pid-file={self.home}/sql.pid"]
        with (self.home / "mariadb.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", *self.options, *places, "--skip-networking", "--user=mysql"],
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=system_environment(),
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.root().close()
            except MySQLdb.Error:
                assert self.process.poll() is None, (self.home / "mariadb.log").read_text()[-2000:]
                assert time.monotonic() < deadline, "MariaDB did not start in 30 s"
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def freeze(self) -> None:
        """Let it accept connections and answer nothing. On a busy machine it is a while until its last thread stops."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        deadline = time.monotonic() + 30
        while any((task / "stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()):
            assert time.monotonic() < deadline, "MariaDB did not stop in 30 s"
            time.sleep(0.01)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def root(self, database: str = "") -> MySQLdb.Connection:
        return MySQLdb.connect(unix_socket=str(self.socket), user="root", database=database, autocommit=True)

    def fill(self) -> None:
        connection = self.root()
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE mailhost")
        cursor.execute("USE mailhost")
        for statement in self.tables.read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("SET foreign_key_checks = 0")
        cursor.executemany(
            "INSERT INTO mail_aliases (uid, domain_id, alias_email, destination_email,"
            " is_enabled, is_active, is_routed, may_send_as, created_at, updated_at)"
            " VALUES (%s, 1, %s, %s, 1, 1, 1, %s, NOW(), NOW())",
            [(f"right{place:03}", *right) for place, right in enumerate(RIGHTS)],
        )
        cursor.execute(f"CREATE USER mailhost_postfix@localhost IDENTIFIED BY '{PASSWORD}'")
        for table, columns in readable_columns("postfix").items():
            cursor.execute(f"GRANT SELECT ({', '.join(columns)}) ON mailhost.{table} TO mailhost_postfix@localhost")
        connection.close()


@pytest.fixture(scope="session")
def guard_home() -> Iterator[Path]:
    # Below a folder that nobody else may change, and short enough for a socket's name.
    home = Path(tempfile.mkdtemp(prefix="guard-", dir="/var/lib"))
    home.chmod(0o755)
    shutil.chown(home, "mysql")
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def _database(guard_home: Path, stack) -> Iterator[Database]:
    database = Database(guard_home, stack.home / "tables.sql")
    database.install()
    database.start()
    database.fill()
    yield database
    database.stop()


@pytest.fixture
def database(_database: Database) -> Iterator[Database]:
    """The guard's database. A test that stops it leaves it running for the next."""
    yield _database
    if _database.process is None:
        _database.start()


class GuardProcess:
    """`manage.py fromguard`, running."""

    def __init__(self, home: Path, database: Database) -> None:
        self.socket = home / "guard.sock"
        self.log = home / "guard.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "MAILHOST_SECRET_KEY": "of-no-use",
            "MAILHOST_HOSTNAME": HOSTNAME,
            "MAILHOST_DATABASE_SOCKET": str(database.socket),
            "MAILHOST_POSTFIX_DB_PASSWORD": PASSWORD,
            "MAILHOST_CONFIG_GUARD_SOCKET": str(self.socket),
        }

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "fromguard"], cwd=CLONE, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while not self.socket.exists():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, "the guard did not start in 30 s"
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        self.process.terminate()
        return self.process.wait(15)

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


@pytest.fixture(scope="session")
def _guard(guard_home: Path, _database: Database) -> Iterator[GuardProcess]:
    guard = GuardProcess(guard_home, _database)
    guard.start()
    yield guard
    if guard.process.poll() is None:
        guard.stop()


@pytest.fixture
def guard(_guard: GuardProcess, database: Database) -> Iterator[GuardProcess]:
    """The running guard, on its own database. A test that stops it leaves it running for the next."""
    yield _guard
    if _guard.process.poll() is not None:
        _guard.start()


@pytest.fixture
def connection(guard: GuardProcess) -> Iterator[Connection]:
    """Postfix's connection to the guard."""
    connection = Connection(guard.socket)
    yield connection
    connection.close()
