"""A name server on loopback, over UDP and TCP, that answers what a test has written down."""

import socketserver
import struct
import threading
from functools import cache

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

UdpServer, TcpServer = socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer
SILENCE, LAME = object(), object()
SIGNATURE = "SOA 13 2 3600 20380101000000 20260101000000 1 scripted.example. AAAA"
SOA = "ns1.scripted.example. hostmaster.scripted.example. 1 3600 600 86400 60"


def zone_of(name: str) -> str:
    return ".".join(name.split(".")[-2:])


@cache
def records_of(name: str, kind: str, *values: str) -> dns.rrset.RRset:
    """A thousand records are read once: what a test measures is whoever asks, not this server."""
    return dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values)


class ScriptedDns:
    """`server.says("acme.example", "MX", "10 mail.example.")`; other types of a known name are empty, other names do
    not exist. `fails(name)` answers SERVFAIL, `refuses(name)` REFUSED, `is_silent(name)` nothing, `is_lame(name)` is
    without authority.

    It is the resolver, and an authoritative server of every zone: those of two labels ("acme.example"), whose name
    servers are `ns1.<zone>` at 127.0.0.1 unless `has_servers` says otherwise. `remembers` is what only the resolver
    answers. `vouches_for(zone)` says that the resolver has verified it by DNSSEC; `shows_signatures(zone)` has
    signatures that nobody verified.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.remembered: dict[tuple[str, str], list[str]] = {}
        self.outcomes: dict[str, object] = {}
        self.servers: dict[str, dict[str, str]] = {}
        self.vouched: set[str] = set()
        self.signed: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.udp, self.tcp = self._servers(address, port)
        self.port = self.udp.server_address[1]

    def _servers(self, address: str, port: int) -> tuple[UdpServer, TcpServer]:
        """Return two servers on one port, which must be free for both."""
        while True:
            udp = UdpServer((address, port), self._handler(is_tcp=False))
            try:
                return udp, TcpServer(udp.server_address, self._handler(is_tcp=True))
            except OSError:
                udp.server_close()

    def __enter__(self) -> "ScriptedDns":
        for server in (self.udp, self.tcp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception) -> None:
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()

    def says(self, name: str, record_type: str, *values: str) -> None:
        self.records[name, record_type] = list(values)

    def says_text(self, name: str, *values: str) -> None:
        """TXT records, each cut into strings of 255 bytes as a zone file does."""
        quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
        cut = [" ".join(f'"{one[at : at + 255]}"' for at in range(0, len(one), 255)) for one in quoted]
        self.says(name, "TXT", *cut)

    def fails(self, name: str) -> None:
        self.outcomes[name] = dns.rcode.SERVFAIL

    def refuses(self, name: str) -> None:
        self.outcomes[name] = dns.rcode.REFUSED

    def is_silent(self, name: str) -> None:
        self.outcomes[name] = SILENCE

    def is_lame(self, name: str) -> None:
        self.outcomes[name] = LAME

    def vouches_for(self, zone: str) -> None:
        self.vouched.add(zone)

    def shows_signatures(self, zone: str) -> None:
        self.signed.add(zone)

    def remembers_text(self, name: str, *values: str) -> None:
        """TXT records that the resolver still has, while the authoritative servers say something else."""
        self.remembered[name, "TXT"] = [f'"{value}"' for value in values]

    def has_servers(self, zone: str, **addresses: str) -> None:
        """Name the zone's servers: `has_servers("acme.example", ns1="127.0.0.1", ns2="127.0.0.2")`."""
        self.servers[zone] = {f"{label}.{zone}": address for label, address in addresses.items()}

    def recovers(self, name: str) -> None:
        del self.outcomes[name]

    def answer(self, packet: bytes, *, is_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(packet)
        asked = query.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, asked.rdtype.name))
        outcome = self.outcomes.get(name)
        if outcome is SILENCE:
            return None
        response = dns.message.make_response(query)
        is_recursive = bool(query.flags & dns.flags.RD)
        response.flags |= dns.flags.RA if is_recursive else dns.flags.AA
        if outcome is LAME:
            response.flags &= ~dns.flags.AA
            return response.to_wire()
        if outcome is not None:
            response.set_rcode(outcome)
            return response.to_wire()
        self._fill(response, name, asked, self.remembered if is_recursive else {})
        if query.ednsflags & dns.flags.DO:
            self._sign(response, name, asked)
        return response.to_wire(max_size=65535 if is_tcp else 1232, prefer_truncation=not is_tcp)

    def _fill(self, response, name: str, asked, remembered: dict) -> None:
        kind = asked.rdtype.name
        if values := remembered.get((name, kind)) or self._of_zone(name, kind):
            response.answer.append(records_of(name, kind, *values))
            return
        while alias := self.records.get((name, "CNAME")):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{alias[0]}."))
            name = alias[0]
            if len(response.answer) > 20:
                return
        if values := self.records.get((name, kind)):
            response.answer.append(records_of(name, kind, *values))
            return
        if not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(dns.rrset.from_text(f"{zone_of(name)}.", 60, "IN", "SOA", SOA))

    def _sign(self, response, name: str, asked) -> None:
        """Add what DNSSEC adds for who asks for it."""
        if zone_of(name) in self.vouched:
            response.flags |= dns.flags.AD
        if name in self.signed and asked.rdtype.name == "SOA":
            response.set_rcode(dns.rcode.NOERROR)
            response.answer.append(records_of(name, "SOA", SOA))
            response.answer.append(records_of(name, "RRSIG", SIGNATURE))

    def _of_zone(self, name: str, kind: str) -> list[str]:
        """Return what every zone has: its name servers, and their addresses."""
        servers = self.servers.get(zone_of(name), {f"ns1.{zone_of(name)}": "127.0.0.1"})
        if kind == "NS" and name == zone_of(name):
            return [f"{server}." for server in servers]
        return [servers[name]] if kind == "A" and name in servers else []

    def _handler(self, *, is_tcp: bool) -> type[socketserver.BaseRequestHandler]:
        scripted = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if not is_tcp:
                    packet, peer = self.request
                    if (found := scripted.answer(packet, is_tcp=False)) is not None:
                        peer.sendto(found, self.client_address)
                    return
                length = self.request.recv(2)
                if len(length) == 2:
                    packet = self.request.recv(struct.unpack("!H", length)[0])
                    if (found := scripted.answer(packet, is_tcp=True)) is not None:
                        self.request.sendall(struct.pack("!H", len(found)) + found)

        return Handler
