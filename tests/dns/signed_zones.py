"""Zones that BIND signs by itself (`dnssec-policy`), and a BIND that verifies them from one trust anchor on.

`example` is signed, and so are three zones below it: `right.example`, whose DS record stands in `example` as it should;
`island.example`, which has none there; and `forged.example`, whose DS record is of another key.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dns.dnssec import make_ds
from dns.exception import DNSException
from dns.flags import AD
from dns.message import Message, make_query
from dns.name import from_text
from dns.query import tcp
from dns.rcode import NOERROR
from dns.rdatatype import DNSKEY, RRSIG
from dns.update import UpdateMessage

from stack.layout import free_ports, release_ports
from stack.services import unconfined

ADDRESS = "192.0.2.25"
REVERSE = "2.0.192.in-addr.arpa"
RIGHT, ISLAND, FORGED = "right.example", "island.example", "forged.example"
PATIENCE_SECONDS = 60

OPTIONS = """
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key"; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; empty-zones-enable no; notify no;
  recursion {recursion}; dnssec-validation {recursion}; qname-minimization off;
}};
controls {{ }};
"""
POLICY = 'dnssec-policy "one" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };\n'
SIGNED = 'zone "{0}" {{ type primary; file "{0}.zone"; dnssec-policy "one"; allow-update {{ 127.0.0.1; }}; }};\n'
PLAIN = 'zone "{0}" {{ type primary; file "{0}.zone"; }};\n'
FORWARDED = 'zone "{0}" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {1}; }}; }};\n'
ZONE = """$TTL 60
@ IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ IN NS ns.example.
"""
HOST = f'mail IN A {ADDRESS}\nmail IN TXT "v=spf1 a -all"\n'
BELOW = "".join(f"{name}. IN NS ns.example.\n" for name in (RIGHT, ISLAND, FORGED))


class SignedZones:
    """Two name servers on 127.0.0.1: `port` serves and signs the zones, `resolver_port` verifies what it passes on."""

    def __init__(self, folder: Path, port: int, resolver_port: int) -> None:
        self.folder, self.port, self.resolver_port = folder, port, resolver_port
        self.processes: list[subprocess.Popen] = []

    def start(self) -> None:
        texts = {
            "example": f"{ZONE}ns IN A 127.0.0.1\n{BELOW}",
            RIGHT: ZONE + HOST,
            ISLAND: ZONE + HOST,
            FORGED: ZONE + HOST,
            REVERSE: f"{ZONE}25 IN PTR mail.{RIGHT}.\n",
        }
        signing = self._home("signing")
        for name, text in texts.items():
            (signing / f"{name}.zone").write_text(text)
        zones = "".join((PLAIN if name == REVERSE else SIGNED).format(name) for name in texts)
        self._run(signing, self.port, "no", POLICY + zones)
        keys = {name: self._until_signed(name) for name in texts if name != REVERSE}
        self.enter("example", RIGHT, "DS", make_ds(from_text(RIGHT), keys[RIGHT], "SHA256").to_text())
        self.enter("example", FORGED, "DS", make_ds(from_text(FORGED), keys[ISLAND], "SHA256").to_text())
        key = keys["example"].to_text().split(" ", 3)
        anchor = f'trust-anchors {{ example. static-key {" ".join(key[:3])} "{key[3]}"; }};\n'
        passed_on = "".join(FORWARDED.format(name, self.port) for name in ("example", REVERSE))
        self._run(self._home("resolver"), self.resolver_port, "yes", anchor + passed_on)
        self._until(lambda: self._ask(self.resolver_port, RIGHT, "SOA"), lambda answer: bool(answer.flags & AD))

    def enter(self, zone: str, name: str, record_type: str, *values: str) -> None:
        """Make these the only records of a name and type, by dynamic update."""
        update = UpdateMessage(f"{zone}.")
        update.delete(from_text(name), record_type)
        for value in values:
            update.add(from_text(name), 0, record_type, value)
        assert tcp(update, "127.0.0.1", port=self.port, timeout=PATIENCE_SECONDS).rcode() == NOERROR

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(PATIENCE_SECONDS)

    def _home(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir()
        return home

    def _run(self, home: Path, port: int, recursion: str, zones: str) -> None:
        (home / "named.conf").write_text(OPTIONS.format(folder=home, port=port, recursion=recursion) + zones)
        command = unconfined(["/usr/sbin/named", "-4", "-g", "-n", "1", "-c", f"{home}/named.conf"])
        with (home / "log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _until_signed(self, zone: str):
        """Return the key by which the zone is signed, once it is."""
        self._until(
            lambda: self._ask(self.port, zone, "SOA"),
            lambda answer: any(rrset.rdtype == RRSIG for rrset in answer.answer),
        )
        answer = self._ask(self.port, zone, "DNSKEY")
        return next(record for rrset in answer.answer if rrset.rdtype == DNSKEY for record in rrset)

    def _ask(self, port: int, name: str, record_type: str) -> Message:
        return tcp(make_query(f"{name}.", record_type, want_dnssec=True), "127.0.0.1", port=port, timeout=5)

    def _until(self, ask: Callable[[], Message], is_there: Callable[[Message], bool]) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            try:
                if is_there(ask()):
                    return
            except (OSError, EOFError, DNSException):
                # It does not listen yet.
                assert all(process.poll() is None for process in self.processes), "named has ended"
            time.sleep(0.02)
        raise AssertionError(f"named was not ready within {PATIENCE_SECONDS} s")


@contextmanager
def signed_zones(folder: Path) -> Iterator[SignedZones]:
    ports = free_ports()
    zones = SignedZones(folder, ports["dns"], ports["https"])
    try:
        zones.start()
        yield zones
    finally:
        zones.stop()
        release_ports(ports.values())
