"""Signing in: Dovecot's auth socket beside a primary-key read, and whole IMAP sessions beside its default settings."""

import base64
import os
import random
import socket
import ssl
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bench.databases import PASSWORD, VOLUME_DOMAIN, Database
from bench.figures import Figure
from bench.servers import Servers
from bench.timing import in_turn, one_core, ratio, spread

CLIENTS = 4
IN_FLIGHT = 4
# "%u" is the primary key here; everything else about the sign-in stays.
PRIMARY_KEY = "password_query = SELECT email AS user, password_hash AS password FROM mail_mailboxes WHERE id = '%u'"
# Dovecot 2.3's own values for what our template sets otherwise.
DEFAULT_PROCESSES = """
service imap-login {
  service_count = 1
  client_limit = 0
  process_min_avail = 0
}
service imap {
  service_count = 1
  process_min_avail = 0
}
"""


def measure_passdb(servers: Servers, database: Database, count: int, rounds: int) -> list[Figure]:
    """Sign in through Dovecot's auth socket, with our password_query and with one that reads by primary key."""
    numbers = random.Random(database.size).choices(range(1, database.size + 1), k=count)
    with servers.root_connection(database.name) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, email FROM mail_mailboxes WHERE id IN ({', '.join(map(str, set(numbers)))})")
        addresses = dict(cursor.fetchall())
    ours = servers.parameters_of(f"passdb-{database.size}", database.name)
    floor = servers.parameters_of(f"passdb-floor-{database.size}", database.name)
    servers.grant_column(floor.dovecot_db_user, database.name, "mail_mailboxes", "id")
    servers.write(ours, ("dovecot",))
    servers.write(floor, ("dovecot",), _by_primary_key)
    # Pinned before they start, because Dovecot starts its workers as it needs them.
    with (
        one_core(servers.mariadb_pid) as is_pinned,
        servers.running(servers.dovecot("dovecot-passdb", ours), servers.dovecot("dovecot-floor", floor)),
    ):
        contenders = {
            "ours": partial(authenticate, ours.postfix_queue_dir / "private/auth", [addresses[n] for n in numbers]),
            "floor": partial(authenticate, floor.postfix_queue_dir / "private/auth", [str(n) for n in numbers]),
        }
        in_turn(1, contenders)
        seconds = in_turn(rounds, contenders)
    more = {
        "sign_ins_per_second": count / sorted(seconds["ours"])[rounds // 2],
        "spread": spread(seconds["ours"]),
        "is_pinned": is_pinned,
    }
    value = ratio(seconds["ours"], seconds["floor"])
    return [Figure("passdb through Dovecot", database.size, value, "× primary-key read", more)]


def _by_primary_key(name: str, text: str) -> str:
    if name != "auth-sql.conf":
        return text
    return "\n".join(PRIMARY_KEY if line.startswith("password_query") else line for line in text.splitlines()) + "\n"


def authenticate(path: Path, users: list[str]) -> float:
    """Sign in all users by Dovecot's auth protocol, some at a time; return the seconds. Raises when one is refused."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        lines = connection.makefile("rb")
        connection.sendall(f"VERSION\t1\t1\nCPID\t{os.getpid()}\n".encode())
        while lines.readline() != b"DONE\n":
            pass
        requests = [_request(number, user) for number, user in enumerate(users, start=1)]
        started = time.perf_counter()
        connection.sendall(b"".join(requests[:IN_FLIGHT]))
        for request in [*requests[IN_FLIGHT:], *[b""] * IN_FLIGHT]:
            answer = lines.readline()
            if not answer.startswith(b"OK\t"):
                raise RuntimeError(f"Dovecot answered {answer!r}")
            connection.sendall(request)
        return time.perf_counter() - started


def _request(number: int, user: str) -> bytes:
    secret = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
    return f"AUTH\t{number}\tPLAIN\tservice=imap\tsecured\tresp={secret}\n".encode()


def measure_imap(servers: Servers, database: Database, count: int, rounds: int) -> list[Figure]:
    """Open IMAP sessions over TLS with our process settings and with Dovecot's own."""
    ours = servers.parameters_of(f"imap-{database.size}", database.name)
    default = servers.parameters_of(f"imap-default-{database.size}", database.name)
    servers.write(ours, ("dovecot",))
    servers.write(
        default, ("dovecot",), lambda name, text: text + DEFAULT_PROCESSES if name == "dovecot.conf" else text
    )
    with (
        servers.running(servers.dovecot("dovecot-imap", ours), servers.dovecot("dovecot-default", default)),
        ProcessPoolExecutor(CLIENTS) as clients,
    ):
        contenders = {
            name: partial(sign_in_at_once, clients, params.imaps_port, count)
            for name, params in (("ours", ours), ("default", default))
        }
        # The first sign-in of a mailbox makes its folders.
        in_turn(1, contenders)
        seconds = in_turn(rounds, contenders)
    more = {
        "sign_ins_per_second": count / sorted(seconds["ours"])[rounds // 2],
        "default_sign_ins_per_second": count / sorted(seconds["default"])[rounds // 2],
        "spread": spread(seconds["ours"]),
    }
    value = 1 / ratio(seconds["ours"], seconds["default"])
    return [Figure("IMAP sign-ins", database.size, value, "× Dovecot's default processes", more)]


def sign_in_at_once(clients: ProcessPoolExecutor, port: int, count: int) -> float:
    """Divide that many sessions among the clients; return the seconds until all are over."""
    users = [f"{1 + number % 400}box@{VOLUME_DOMAIN}" for number in range(count)]
    started = time.perf_counter()
    list(clients.map(sign_in_all, [port] * CLIENTS, [users[first::CLIENTS] for first in range(CLIENTS)]))
    return time.perf_counter() - started


def sign_in_all(port: int, users: list[str]) -> None:
    """Connect, TLS, LOGIN, LOGOUT for each. Raises when one is refused."""
    tls = ssl.create_default_context()
    # What the client would do to check the certificate is not what is measured.
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    for user in users:
        with (
            socket.create_connection(("127.0.0.1", port), 30) as plain,
            tls.wrap_socket(plain) as connection,
            connection.makefile("rb") as lines,
        ):
            lines.readline()
            for command, answer in ((f"a LOGIN {user} {PASSWORD}", b"a OK"), ("b LOGOUT", b"b OK")):
                connection.sendall(f"{command}\r\n".encode())
                while not (line := lines.readline()).startswith(answer):
                    if not line.startswith(b"*"):
                        raise RuntimeError(f"{command.split()[1]} was answered with {line!r}")
