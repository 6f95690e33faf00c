"""The signer's tables with many domains: how long a rewrite takes, and what a message costs beside few domains.

`python -m bench.signing ROUNDS PID DOMAINS` is a process of its own, because Django's settings belong to one database;
it prints one JSON line.
"""

import json
import os
import resource
import shutil
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import django
from django.db import connection, transaction

from bench.apart import measured_apart, run_apart
from bench.figures import Figure
from bench.servers import Servers
from bench.timing import processor_seconds

DATABASE = "bench_signing"
MESSAGES = 200
BODY = b"a line of sixty-four characters, as people's mail programs write\r\n" * 31
# ext4 lets a file have 65,000 names.
NAMES_OF_A_FILE = 30_000


def measure(servers: Servers, few: int, many: int, rounds: int) -> list[Figure]:
    """Fill the signer's tables with few and with many domains, each for an OpenDKIM that was just started, and
    compare. Raises when a message stays unsigned."""
    with servers.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    servers.use(DATABASE)

    def compared(domains: int) -> dict[str, Any]:
        servers.start("opendkim")
        try:
            return measured_apart(servers, DATABASE, "bench.signing", rounds, servers.pid("opendkim"), domains)
        finally:
            servers.stop("opendkim")

    run_apart(servers, DATABASE, "manage.py", "migrate", "-v0")
    base, full = compared(few), compared(many)
    beside = {f"{name} at {few:,}": base[name] for name in ("ms", "memory_mb")}

    def seconds(what: str, name: str) -> Figure:
        beside = {f"at {few:,}": base[name][0], "processor s": full[name][1]}
        return Figure(f"signer: {what}", many, full[name][0], "s", beside)

    return [
        seconds("all tables rewritten", "rewrite"),
        seconds("one more domain signs", "one_more"),
        seconds("one domain less", "one_less"),
        seconds("compared with every file read", "thorough"),
        seconds("compared again", "again"),
        Figure("signer: a message", many, full["ms"] / base["ms"], f"x {few:,} domains", beside | {"ms": full["ms"]}),
        Figure(
            "signer: memory after use and reloads",
            many,
            full["memory_mb"] / base["memory_mb"],
            f"x {few:,} domains",
            beside | {"MB": full["memory_mb"], "writer MB": full["writer_mb"]},
        ),
    ]


@dataclass
class Bench:
    """A signer's folder, its running OpenDKIM, and the database that they follow."""

    parameters: Any
    opendkim: int
    rounds: int

    def compare(self, domains: int) -> dict[str, Any]:
        from dns import operations  # noqa: PLC0415

        self._fill(domains)
        rewrite = timed(self._write)
        one_more, one_less = [], []
        for turn in range(self.rounds):
            name = f"d{domains + turn:06d}.example"
            self._add(name)
            one_more.append(timed(lambda name=name: (self._write(), self._sign(name))))
        for turn in range(self.rounds):
            self._delete(f"d{domains + turn:06d}.example")
            one_less.append(timed(self._write))
        each = [
            1000 * timed(lambda name=name: [self._sign(name) for _ in range(MESSAGES)])[0] / MESSAGES
            for name in ("d000007.example", *[f"d{domains - 1:06d}.example"] * (self.rounds - 1))
        ]
        return {
            "rewrite": rewrite,
            "one_more": middle(one_more),
            "one_less": middle(one_less),
            "thorough": timed(lambda: operations.write_signing_tables(thorough=True)),
            "again": timed(lambda: operations.write_signing_tables(thorough=True)),
            "ms": median(each),
            "memory_mb": resident_mb(self.opendkim),
            "writer_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def _write(self) -> None:
        from dns import operations  # noqa: PLC0415

        if not operations.write_signing_tables().is_loaded:
            raise RuntimeError("OpenDKIM has not loaded the tables")

    def _fill(self, domains: int) -> None:
        """Have that many domains with a key each, and every key's file; all keys are one, because making them is not
        measured. Nothing of an earlier size is left."""
        from dns.operations import want_tables  # noqa: PLC0415

        with connection.cursor() as cursor:
            for table in ("dns_dkimkey", "dns_signer", "mail_domains", "tenants_tenant"):
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute(
                "INSERT INTO tenants_tenant (id, uid, path, kind, name, blocks_sign_in, blocks_sending,"
                " blocks_receiving, suspension_reason, may_sign_in, may_send, may_receive, created_at, updated_at)"
                " VALUES (1, 'bench', '/1/', 'customer', 'Bench', 0, 0, 0, '', 1, 1, 1, NOW(6), NOW(6))"
            )
            cursor.execute(
                "INSERT INTO mail_domains (id, uid, tenant_id, domain_name, challenge, challenge_expires_at,"
                " verified_at, is_enabled, is_verified, is_active, created_at, updated_at)"
                f" SELECT seq + 1, LEFT(SHA1(seq), 20), 1, CONCAT('d', LPAD(seq, 6, '0'), '.example'),"
                f" SHA1(CONCAT('challenge', seq)), NOW(6), NOW(6), 1, 1, 1, NOW(6), NOW(6) FROM seq_0_to_{domains - 1}"
            )
            cursor.execute(
                "INSERT INTO dns_dkimkey (id, domain_id, selector, algorithm, private_key, public_key, fingerprint,"
                " state, state_since, created_at, updated_at)"
                " SELECT id, id, CONCAT('mh', LPAD(id, 9, '0')), 'rsa-2048', %s, %s, %s, 'active', NOW(6), NOW(6),"
                " NOW(6) FROM mail_domains",
                [self.token, self.pair.public_key, self.mark],
            )
            cursor.execute("ANALYZE TABLE mail_domains, dns_dkimkey")
            cursor.fetchall()
        shutil.rmtree(self.parameters.dkim_dir / "keys")
        (self.parameters.dkim_dir / "keys").mkdir(mode=0o700)
        shutil.chown(self.parameters.dkim_dir / "keys", "opendkim", "opendkim")
        for number in range(1, domains + 1):
            self._place(number, f"mh{number:09d}.{number}.pem")
        want_tables()

    def _place(self, number: int, name: str) -> None:
        folder = self.parameters.dkim_dir / "keys"
        source = self.parameters.dkim_dir / f"bench{number // NAMES_OF_A_FILE}.pem"
        if number % NAMES_OF_A_FILE in (0, 1):
            source.unlink(missing_ok=True)
            source.write_bytes(self.pair.private_pem)
            shutil.chown(source, "opendkim", "opendkim")
            source.chmod(0o600)
        os.link(source, folder / name)

    def make_key(self) -> None:
        from dns import dkim  # noqa: PLC0415

        self.pair = dkim.make_key()
        self.token, self.mark = dkim.encrypt(self.pair.private_pem), dkim.fingerprint(self.pair.private_pem)

    def _add(self, name: str) -> None:
        """Add a domain whose key may sign; its file is for the signer to write."""
        from django.utils import timezone  # noqa: PLC0415

        from dns.models import DkimKey, KeyState  # noqa: PLC0415
        from dns.operations import want_tables  # noqa: PLC0415
        from domains.models import Domain  # noqa: PLC0415
        from mailhost.scope import every_tenant  # noqa: PLC0415

        now = timezone.now()
        with every_tenant("the bench adds a domain"), transaction.atomic():
            domain = Domain.objects.create(tenant_id=1, domain_name=name, verified_at=now, is_verified=True)
            DkimKey.objects.create(
                domain=domain,
                selector=f"mh{domain.pk:09d}",
                private_key=self.token,
                public_key=self.pair.public_key,
                fingerprint=self.mark,
                state=KeyState.ACTIVE,
            )
            want_tables(name)

    def _delete(self, name: str) -> None:
        from django.utils import timezone  # noqa: PLC0415

        from dns.operations import want_tables  # noqa: PLC0415
        from domains.models import Domain  # noqa: PLC0415
        from mailhost.scope import every_tenant  # noqa: PLC0415

        with every_tenant("the bench gives a domain up"), transaction.atomic():
            Domain.objects.filter(domain_name=name).update(deleted_at=timezone.now())
            want_tables(name)

    def _sign(self, domain: str) -> None:
        if f"d={domain};".encode() not in passed(self.parameters.milter_socket, f"anna@{domain}").replace(b"\t", b""):
            raise RuntimeError(f"a message of {domain} was not signed")


def passed(milter: Path, sender: str) -> bytes:
    """Hand a message to the milter as Postfix does, in a connection of its own; return all that it answered."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(os.fspath(milter))

        def tell(command: bytes, payload: bytes = b"") -> None:
            connection.sendall(struct.pack("!I", 1 + len(payload)) + command + payload)

        def hear() -> bytes:
            length = struct.unpack("!I", connection.recv(4, socket.MSG_WAITALL))[0]
            return connection.recv(length, socket.MSG_WAITALL)

        def words(*texts: str) -> bytes:
            return b"".join(text.encode() + b"\0" for text in texts)

        macros = words("i", "4ABC", "{mail_addr}", sender, "{auth_type}", "PLAIN", "{auth_authen}", sender)
        for command, payload in (
            (b"O", struct.pack("!III", 6, 0x1FF, 0)),
            (b"C", words("client.example") + b"4" + struct.pack("!H", 40000) + words("198.51.100.7")),
            (b"H", words("client.example")),
            (b"M", words(f"<{sender}>")),
            (b"R", words("<bob@elsewhere.example>")),
            (b"L", words("From", sender)),
            (b"L", words("Subject", "Bench")),
            (b"N", b""),
            (b"B", BODY),
        ):
            if command == b"M":
                tell(b"D", b"M" + macros)
            tell(command, payload)
            hear()
        tell(b"E")
        heard = b""
        while True:
            answer = hear()
            heard += answer
            # Accepted, let pass, put off, refused: the last answer to a message.
            if answer[:1] in (b"a", b"c", b"t", b"r"):
                return heard


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def timed(work) -> tuple[float, float]:
    """Return the seconds that this takes, and the processor's of this process and of what it starts."""
    started, worked = time.perf_counter(), processor_seconds(os.getpid())
    work()
    return time.perf_counter() - started, processor_seconds(os.getpid()) - worked


def middle(pairs: list[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(median(values) for values in zip(*pairs, strict=True))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    from mailconfig.parameters import Parameters  # noqa: PLC0415

    rounds, opendkim, domains = (int(word) for word in sys.argv[1:])
    bench = Bench(Parameters.from_settings(), opendkim, rounds)
    bench.make_key()
    print(json.dumps(bench.compare(domains)), flush=True)


if __name__ == "__main__":
    main()
