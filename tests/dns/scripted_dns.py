"""A name server on loopback, over UDP and TCP, that answers what a test has written down."""

import socketserver
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENCE = object()


class ScriptedDns:
    """`server.says("acme.example", "MX", "10 mail.example.")`; other types of a known name are empty, other names do
    not exist. `fails(name)` answers SERVFAIL, `is_silent(name)` nothing."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.outcomes: dict[str, object] = {}
        self.udp, self.tcp = self._servers()
        self.port = self.udp.server_address[1]

    def _servers(self) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
        """Return two servers on one port, which must be free for both."""
        while True:
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), self._handler(is_tcp=False))
            try:
                return udp, socketserver.ThreadingTCPServer(udp.server_address, self._handler(is_tcp=True))
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

    def is_silent(self, name: str) -> None:
        self.outcomes[name] = SILENCE

    def recovers(self, name: str) -> None:
        del self.outcomes[name]

    def answer(self, packet: bytes, *, is_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(packet)
        asked = query.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        outcome = self.outcomes.get(name)
        if outcome is SILENCE:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if outcome is not None:
            response.set_rcode(outcome)
            return response.to_wire()
        self._fill(response, name, asked)
        return response.to_wire(max_size=65535 if is_tcp else 1232, prefer_truncation=not is_tcp)

    def _fill(self, response, name: str, asked) -> None:
        while alias := self.records.get((name, "CNAME")):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{alias[0]}."))
            name = alias[0]
            if len(response.answer) > 20:
                return
        kind = asked.rdtype.name
        if values := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)

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
