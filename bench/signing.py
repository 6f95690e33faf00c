"""The signer's tables with many domains: how long a rewrite takes, and what a message costs beside few domains.

`python -m bench.signing DOMAINS…` is a process of its own, because Django's settings belong to one database; it prints
one JSON line for each number of domains.
"""

import json
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import django

from bench.figures import Figure
from bench.servers import Servers
from stack.layout import CLONE

DATABASE = "bench_signing"
MESSAGES = 200
BODY = b"a line of sixty-four characters, as people's mail programs write\r\n" * 31
# ext4 lets a file have 65,000 names.
NAMES_OF_A_FILE = 30_000


def measure(servers: Servers, few: int, many: int, rounds: int) -> list[Figure]:
    """Fill the signer's tables with few and with many domains and compare. Raises when a message stays unsigned."""
    with servers.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    servers.use(DATABASE)
    environment = {**servers.environment, "MAILHOST_DATABASE_NAME": DATABASE}

    def run(*command: str) -> str:
        ran = subprocess.run(
            [sys.executable, *command], check=False, cwd=CLONE, env=environment, capture_output=True, text=True
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip().splitlines()[-1])
        return ran.stdout

    run("manage.py", "migrate", "--verbosity", "0")
    servers.start("opendkim")
    try:
        printed = run("-m", "bench.signing", str(rounds), str(servers.pid("opendkim")), str(few), str(many))
    finally:
        servers.stop("opendkim")
    base, full = (json.loads(line) for line in printed.splitlines()[-2:])
    beside = {f"{name} at {few:,}": base[name] for name in ("ms", "memory_mb")}
    return [
        Figure("signer: all tables rewritten", many, full["rewrite"], "s", {f"at {few:,}": base["rewrite"]}),
        Figure("signer: one more domain signs", many, full["one_more"], "s", {f"at {few:,}": base["one_more"]}),
        Figure("signer: nothing to do, every file read", many, full["thorough"], "s", {"spread": 0.0}),
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

    def compare(self, domains: int) -> dict[str, float]:
        from dns import operations  # noqa: PLC0415

        self._fill(domains)
        for path in self.parameters.dkim_dir.glob("*Table*"):
            path.unlink()
        rewrite = timed(self._write)
        one_more = []
        for turn in range(self.rounds):
            self._fill(domains + turn + 1)
            name = f"d{domains + turn:06d}.example"
            one_more.append(timed(lambda name=name: (self._write(), self._sign(name))))
        each = [1000 * timed(lambda: [self._sign("d000007.example") for _ in range(MESSAGES)]) / MESSAGES]
        each += [
            1000 * timed(lambda: [self._sign(f"d{domains - 1:06d}.example") for _ in range(MESSAGES)]) / MESSAGES
            for _ in range(self.rounds - 1)
        ]
        return {
            "rewrite": rewrite,
            "one_more": median(one_more),
            "thorough": timed(lambda: operations.write_signing_tables(thorough=True)),
            "ms": median(each),
            "memory_mb": resident_mb(self.opendkim),
            "writer_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def _write(self) -> None:
        from dns import operations  # noqa: PLC0415

        if not operations.write_signing_tables().is_loaded:
            raise RuntimeError("OpenDKIM has not loaded the tables")

    def _fill(self, domains: int) -> None:
        """Have that many domains with a key each; all keys are one, because making them is not measured."""
        from django.utils import timezone  # noqa: PLC0415

        from dns.models import DkimKey, KeyState  # noqa: PLC0415
        from domains.models import Domain  # noqa: PLC0415
        from mailhost.scope import every_tenant  # noqa: PLC0415
        from tenants.models import Kind, Tenant  # noqa: PLC0415

        now = timezone.now()
        with every_tenant("the bench fills its database"):
            owner, _ = Tenant.objects.get_or_create(name="Bench", kind=Kind.CUSTOMER, path="/1/")
            have = Domain.objects.count()
            made = Domain.objects.bulk_create(
                (
                    Domain(tenant=owner, domain_name=f"d{number:06d}.example", verified_at=now, is_verified=True)
                    for number in range(have, domains)
                ),
                batch_size=2000,
            )
            first = made[0].domain_name
            new = Domain.objects.filter(domain_name__gte=first).order_by("domain_name")
            DkimKey.objects.bulk_create(
                (
                    DkimKey(
                        domain=domain,
                        selector=f"mh{number:09d}",
                        private_key=self.token,
                        public_key=self.pair.public_key,
                        fingerprint=self.mark,
                        state=KeyState.ACTIVE,
                    )
                    for number, domain in enumerate(new, start=have)
                ),
                batch_size=2000,
            )
            keys = DkimKey.objects.filter(domain__domain_name__gte=first).values_list("pk", "selector")
            for number, (key_id, selector) in enumerate(keys, start=have):
                self._place(number, f"{selector}.{key_id}.pem")

    def _place(self, number: int, name: str) -> None:
        folder = self.parameters.dkim_dir / "keys"
        source = self.parameters.dkim_dir / f"bench{number // NAMES_OF_A_FILE}.pem"
        if not source.exists():
            source.write_bytes(self.pair.private_pem)
            shutil.chown(source, "opendkim", "opendkim")
            source.chmod(0o600)
        os.link(source, folder / name)

    def make_key(self) -> None:
        from dns import dkim  # noqa: PLC0415

        self.pair = dkim.make_key()
        self.token, self.mark = dkim.encrypt(self.pair.private_pem), dkim.fingerprint(self.pair.private_pem)

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


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailhost.settings")
    django.setup()
    from mailconfig.parameters import Parameters  # noqa: PLC0415

    rounds, opendkim, *sizes = (int(word) for word in sys.argv[1:])
    bench = Bench(Parameters.from_settings(), opendkim, rounds)
    bench.make_key()
    for domains in sizes:
        print(json.dumps(bench.compare(domains)), flush=True)


if __name__ == "__main__":
    main()
