"""The bench's own servers: MariaDB, Redis and the mail daemons, from production's templates, shared with nobody."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mailconfig import files
from mailconfig.parameters import Parameters
from mailconfig.render import folders, render
from stack import layout, rendered
from stack.services import accepts_socket, says, system_environment
from stack.stack import Stack
from stack.supervisor import Keeper, Service

# Reads whole databases: for the floor and for the tables ours are compared with. Our maps are asked by the daemons'
# own users, so what their rights on single columns cost is in our figures.
READER = "bench_reader"
MEGABYTE = 1024 * 1024
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own name, made by root


Edit = Callable[[str, str], str]


def unchanged(_name: str, text: str) -> str:
    return text


class Servers(Stack):
    """A private stack named "bench", of which each measurement starts the daemons it needs."""

    def __init__(self, say) -> None:
        super().__init__("bench", say)
        # Mail that waits in a queue on disk would be measured with the disk.
        self.queues = self.home / "queues"
        self.sinks = self.home / "sinks"
        if MEMORY.is_dir():
            self.queues = MEMORY / f"mailhost-bench-{layout.runtime_base()[0].stat().st_ino}"

    def open(self, buffer_pool_mb: int) -> None:
        """Start MariaDB with that much memory, and Redis."""
        self.take()
        self.configure()
        self.queues.mkdir(exist_ok=True)
        self.sinks.mkdir(exist_ok=True)
        shutil.chown(self.sinks, "postfix")
        self._install_database()
        self.start("mariadb", "redis")
        self._create_panel_user()
        with self.root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {buffer_pool_mb * MEGABYTE}")
            cursor.execute(f"SET GLOBAL innodb_log_file_size = {512 * MEGABYTE}")
            # By default MariaDB spares the disk and writes a filled database back for minutes.
            cursor.execute("SET GLOBAL innodb_io_capacity_max = 20000")
            cursor.execute("SET GLOBAL innodb_io_capacity = 20000")
            cursor.execute(f"CREATE OR REPLACE USER {READER}@localhost IDENTIFIED BY '{self.secrets['postfix']}'")
            cursor.execute(rf"GRANT SELECT ON `bench\_%`.* TO {READER}@localhost")
            cursor.execute(r"GRANT ALL ON `bench\_%`.* TO mailhost@localhost WITH GRANT OPTION")

    def close(self, keep_databases: bool) -> None:
        """Stop every server that this run started, and delete its files."""
        self.down()
        shutil.rmtree(self.queues, ignore_errors=True)
        if not keep_databases:
            self.remove()

    @property
    def mariadb_pid(self) -> int:
        return self.pid("mariadb")

    def pid(self, name: str) -> int:
        return self.supervisor.keepers[name].process.pid

    def parameters_of(self, name: str, database: str, user: str = "") -> Parameters:
        """Return the parameters of one more set of daemons, which read `database` (as `user`, if not as their own).

        Ports, sockets, queue and configuration are its own; the certificate and the mailboxes' folder are shared.
        """
        home = self.home / name
        own = rendered.parameters(home, layout.free_ports(), self.secrets)
        queue = self.queues / name
        chosen = replace(
            own,
            database_name=database,
            database_socket=self.params.database_socket,
            redis_url=self.params.redis_url,
            tls_cert_file=self.params.tls_cert_file,
            tls_key_file=self.params.tls_key_file,
            mail_root=self.params.mail_root,
            postfix_queue_dir=queue,
            milter_socket=queue / "milter/opendkim.sock",
            guard_socket=queue / "guard/fromguard.sock",
        )
        return replace(chosen, postfix_db_user=user, postfix_db_password=self.secrets["postfix"]) if user else chosen

    def write(self, params: Parameters, daemons: tuple[str, ...], edit: Edit = unchanged) -> None:
        """Write the files of these daemons as production has them, each passed through `edit(name, text)`."""
        Path(params.postfix_log).parent.mkdir(parents=True, exist_ok=True)
        files.make_folders(folders(params, daemons))
        for path, file in render(params, daemons).items():
            files.write(path, replace(file, text=edit(path.name, file.text)))
        log = Path(params.postfix_log)
        log.touch()
        shutil.chown(log, "postfix")

    def use(self, database: str) -> None:
        """Let the stack's own daemons read this database."""
        self.params = replace(self.params, database_name=database)
        rendered.write_daemon_files(self.params)
        rendered.write_environment(self.home, self.params, self.ports, self.secrets, self.static_root)

    def grant_column(self, user: str, database: str, table: str, column: str) -> None:
        """Let a daemon's user read one more column, which only a floor asks for."""
        with self.root_connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"GRANT SELECT ({column}) ON {database}.{table} TO '{user}'@'localhost'")

    @contextmanager
    def running(self, *services: Service) -> Iterator[None]:
        """Run these services for the duration of the block."""
        keepers = self.supervisor.keepers
        try:
            for service in services:
                # In the supervisor's list, so that the next run ends what a killed run left behind.
                keepers[service.name] = Keeper(service, self.say, self.supervisor._write_pids)
                keepers[service.name].start()
            yield
        finally:
            for service in reversed(services):
                if service.name in keepers:
                    keepers.pop(service.name).stop()

    def postfix(self, name: str, params: Parameters) -> Service:
        """Return the service of a Postfix whose files are written."""
        check = ["postfix", "-c", str(params.postfix_config_dir), "check"]
        subprocess.run(check, check=True, capture_output=True, env=system_environment())
        command = ["/usr/lib/postfix/sbin/master", "-c", str(params.postfix_config_dir), "-s"]
        return self._service(name, command, lambda: says(params.smtp_port, b"220 "))

    def dovecot(self, name: str, params: Parameters) -> Service:
        """Return the service of a Dovecot whose files are written."""
        (params.postfix_queue_dir / "private").mkdir(parents=True, exist_ok=True)
        command = ["/usr/sbin/dovecot", "-F", "-c", str(params.dovecot_config_file)]
        return self._service(name, command, lambda: says(params.imap_port, b"* OK"))

    def lmtp_sink(self, socket: Path) -> Service:
        """Return the service that takes every message by LMTP at a Unix socket and forgets it."""
        command = ["/usr/sbin/smtp-sink", "-L", "-u", "postfix", f"unix:{socket}", "200"]
        return self._service("lmtp sink", command, lambda: accepts_socket(socket))

    def _service(self, name: str, command: list[str], ready) -> Service:
        log = self.home / f"log/{name.replace(' ', '-')}.out"
        return Service(name, command, ready, log, cwd=self.home, env=system_environment())


def wait_until(condition, seconds: float, every: float = 0.01) -> bool:
    """Return whether `condition` came true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
