"""One private stack: its folder, its services from start to stop, and what it tells others about itself."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import MySQLdb

from stack import layout, mariadb, rendered
from stack.layout import REPORTS_DOMAIN
from stack.services import DOOR, MAIL, PYTHON, SERVERS, python_environment, services, system_environment
from stack.supervisor import StepFailed, Supervisor, end_leftovers

# Two for names of addresses: of the mail host's, and of one that tests and the demo's reports speak of.
REVERSE_ZONES = ("0.0.127.in-addr.arpa", "113.0.203.in-addr.arpa")
ZONES = ("example", "mailhost.example", "dkim.mailhost.example", REPORTS_DOMAIN, *REVERSE_ZONES)
DEMO_ZONES = (*ZONES, "acme.example", "acme-shop.example", "bolt.example")


class AlreadyRunning(Exception):
    """Another process runs this stack."""


def runner_of(lock_file: Path) -> int | None:
    """Return the process that runs the stack of this lock file, None when nobody does.

    The lock says so, for it goes with its process. A number that a killed run has left may be anybody's by now.
    """
    try:
        lock = lock_file.open()
    except FileNotFoundError:
        return None
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if number := lock.read():
                    return int(number)
                # Whoever has just taken it has yet to write who it is.
                time.sleep(0.01)
            else:
                return None


class Stack:
    """A stack below its own folder. `profile` is demo (fixed ports if free), or any other name (random ports).

    up() starts everything, down() stops it; start(name) and stop(name) act on one service. `info` is stack.json.
    """

    def __init__(self, profile: str, say: Callable[[str], None] = print, clone: Path = layout.CLONE):
        if os.geteuid() != 0:
            raise StepFailed("start", "only root can start Postfix and give files to the daemons' users")
        # A root whose umask is 077 would make folders that no daemon may enter.
        os.umask(0o022)
        self.profile, self.say = profile, say
        base, self.elsewhere = layout.runtime_base(clone)
        self.home = base / profile
        self.state_file = self.var(clone) / ("" if profile == "demo" else profile) / "stack.json"
        self.state_file.parent.mkdir(parents=True, exist_ok=True)
        self.lock_file = self.state_file.parent / f"{profile}.lock"
        self.static_root = base / "static"
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = None
        self.supervisor: Supervisor | None = None

    @staticmethod
    def var(clone: Path = layout.CLONE) -> Path:
        """Return the folder that holds every stack.json of this clone."""
        return clone / "var"

    @property
    def is_ours(self) -> bool:
        """Whether this process runs the stack."""
        return self._lock is not None

    def take(self) -> None:
        """Become the one process that runs this stack; raises AlreadyRunning."""
        lock = self.lock_file.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(f"it runs already, started by process {lock.read().strip() or '?'}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def configure(self) -> None:
        """Choose ports and write every file. Call it before up(); `environment` and `info` are known from here on."""
        pid_file = self.home / "pids.json"
        # Before ports are chosen: what a killed run left behind sits on them.
        end_leftovers(pid_file, self.say)
        self.ports = layout.free_ports(layout.DEMO_PORTS if self.profile == "demo" else None)
        self.secrets = layout.load_secrets(self.home / "secrets.json")
        self.params = rendered.parameters(self.home, self.ports, self.secrets)
        zones = DEMO_ZONES if self.profile == "demo" else ZONES
        rendered.make_folders(self.home, self.params)
        rendered.make_certificates(self.home / "tls")
        rendered.write_server_files(self.home, self.ports, self.secrets, zones, self.profile)
        rendered.write_daemon_files(self.params)
        rendered.write_environment(self.home, self.params, self.ports, self.secrets, self.static_root)
        self.info = rendered.describe(self.home, self.params, self.ports, self.secrets, zones)
        self.supervisor = Supervisor(services(self.home, self.params, self.ports, self._is_up), pid_file, self.say)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a Python process belongs to this stack."""
        return {**python_environment(self.home), "MAILHOST_STACK": str(self.state_file)}

    def up(self, step: Callable | None = None) -> None:
        """Start everything; each step is run in `step(name)`, a context manager. Raises StepFailed."""
        step = step or _unannounced
        with step("Configuration"):
            if self._lock is None:
                self.take()
            if self.supervisor is None:
                self.configure()
        with step("MariaDB"):
            self._install_database()
            self.start("mariadb")
            self._create_panel_user()
        with step("Redis and BIND"):
            self.start("redis", "bind")
        with step("Tables, grants, static files"):
            self.run_python("stack.prepare", "Tables, grants, static files")
            if self.profile != "demo":
                self._save_tables()
        with step("Dovecot, OpenDKIM"):
            # Postfix makes its queue first: Dovecot's and OpenDKIM's sockets are inside.
            self._run(
                "postfix check",
                ["postfix", "-c", str(self.params.postfix_config_dir), "check"],
                log=self.home / "log/postfix.log",
            )
            self.start(*MAIL)
        with step("Guard of header From, web, worker, beat"):
            self.start("guard", *PYTHON, DOOR)
        with step("Postfix"):
            self.start("postfix")
        self.publish()

    def publish(self, **more) -> None:
        """Write stack.json, with `more` in it."""
        self.info |= {"process": os.getpid(), "migrations": layout.migrations_fingerprint(), **more}
        rendered.write_state(self.state_file, self.info)

    def down(self) -> None:
        """Stop everything and release the stack. stack.json goes: it speaks of running services only."""
        if self.supervisor:
            self.state_file.unlink(missing_ok=True)
            self.supervisor.stop_all(last=SERVERS)
            layout.release_ports(self.ports.values())
        if self._lock:
            self._lock.close()
            self._lock = None

    def empty(self) -> None:
        """Delete what an earlier run left in the stack's folder. Call it between take() and up()."""
        end_leftovers(self.home / "pids.json", self.say)
        for path in self.home.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix not in {".lock", ".log"}:
                path.unlink()

    def remove(self) -> None:
        """Delete the stack's folder, mail and all."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.state_file.unlink(missing_ok=True)
        if self.state_file.parent != self.var():
            shutil.rmtree(self.state_file.parent, ignore_errors=True)
        base = self.home.parent
        if self.elsewhere and {path.name for path in base.iterdir()} <= {"static", "static.lock"}:
            shutil.rmtree(base)

    def start(self, *names: str) -> None:
        """Start services, several at once, and wait until all are ready."""
        if "beat" in names and not self.supervisor.is_running("beat"):
            (self.home / "beat.pid").unlink(missing_ok=True)
        self.supervisor.start(*names)

    def stop(self, *names: str) -> None:
        for name in names:
            self.supervisor.stop(name)

    def restart_python(self) -> None:
        """Start web, worker and beat anew, with the code as it is now."""
        self.stop(*PYTHON)
        self.start(*PYTHON)

    def run_python(self, module: str, what: str, *, show: bool = False) -> None:
        """Run one of our modules to its end, as part of this stack; `show` leaves its output to the terminal."""
        command = [sys.executable, "-m", module]
        log = self.home / f"log/{module.rpartition('.')[2]}.log"
        self._run(what, command, log, cwd=layout.CLONE, env=self.environment, show=show)

    def root_connection(self, database: str = "") -> MySQLdb.Connection:
        """Return a connection of the database's root, who is known by the Unix socket."""
        return MySQLdb.connect(unix_socket=self.params.database_socket, user="root", database=database)

    def _run(
        self,
        name: str,
        command: list[str],
        log: Path,
        *,
        cwd: Path | None = None,
        env: dict | None = None,
        show: bool = False,
    ) -> None:
        with log.open("ab") as output:
            ended = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=None if show else output,
                stderr=output,
                cwd=cwd or self.home,
                env=env or system_environment(),
            )
        if ended.returncode:
            raise StepFailed(name, f"ended with status {ended.returncode}", log)

    def _is_up(self, name: str) -> bool:
        return self.supervisor.is_running(name)

    def _install_database(self) -> None:
        data = self.home / "mariadb/data"
        if data.exists():
            return
        # Made beside and then renamed, so that an interrupted start leaves no half database.
        new = self.home / "mariadb/data.new"
        shutil.rmtree(new, ignore_errors=True)
        mariadb.install(new, [f"--defaults-file={self.home}/mariadb/my.cnf"], self.home / "log/mariadb-install.log")
        new.rename(data)

    def _save_tables(self) -> None:
        """Keep the freshly migrated tables as SQL: a test database is made of it in a second.

        Without the triggers that guard the audit record: tests clear away what they did, and damage what must be found
        damaged. Those that keep what Postfix is answered stay.
        """
        command = ["mariadb-dump", "--no-defaults", f"--socket={self.params.database_socket}", "--user=root"]
        plain = ["--skip-comments", "--skip-add-locks", "--skip-disable-keys", "--skip-triggers"]
        tables = self.home / "tables.sql"
        with tables.open("wb") as target:
            subprocess.run(
                [*command, *plain, rendered.DATABASE],
                check=True,
                stdout=target,
            )
            target.write("".join(self._triggers_of("mail_aliases")).encode())

    def _triggers_of(self, table: str) -> list[str]:
        """Return the statements that make a table's triggers, each on one line."""
        with self.root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT trigger_name, action_timing, event_manipulation, action_statement"
                " FROM information_schema.triggers WHERE trigger_schema = %s AND event_object_table = %s",
                [rendered.DATABASE, table],
            )
            return [
                f"CREATE TRIGGER `{name}` {timing} {event} ON `{table}` FOR EACH ROW {' '.join(body.split())};\n"
                for name, timing, event, body in cursor.fetchall()
            ]

    def _create_panel_user(self) -> None:
        with self.root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {rendered.DATABASE}")
            # The socket and the port are two hosts to MariaDB, which resolves no names here.
            for host in ("localhost", "127.0.0.1"):
                user = f"'mailhost'@'{host}'"
                cursor.execute(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY %s", [self.secrets["panel"]])
                for database in (rendered.DATABASE, r"test\_mailhost%"):
                    cursor.execute(f"GRANT ALL ON `{database}`.* TO {user} WITH GRANT OPTION")
                # manage.py daemonusers makes the daemons' users with the panel's connection.
                cursor.execute(f"GRANT CREATE USER ON *.* TO {user}")


@contextmanager
def _unannounced(_name: str) -> Iterator[None]:
    yield
