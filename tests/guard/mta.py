"""Postfix's side of the milter protocol, as far as the tests need it: one connection, one message after another."""

import socket
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

VERSION = 6
ACTIONS = 0x1FF
PROTOCOL = 0x1FFFFF
FRAME = Struct("!LB")
LONG = Struct("!L")
LEADING_SPACE = 0x100000
# Letter of an event, the bit by which a milter says it does not want it, the bit by which it never answers it.
WANTED = {b"C": 0x1, b"H": 0x2, b"M": 0x4, b"R": 0x8, b"T": 0x200, b"L": 0x20, b"N": 0x40, b"B": 0x10}
UNANSWERED = {
    b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000, b"T": 0x10000, b"L": 0x80, b"N": 0x40000, b"B": 0x80000,
}  # fmt: skip
CHANGES = b"hime+-2bq"


@dataclass
class Verdict:
    """What a milter said of one message: the last answer's letter and text, and the changes before it."""

    letter: bytes
    text: str = ""
    changes: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def is_pass(self) -> bool:
        return self.letter in (b"c", b"a")

    @property
    def signing_domain(self) -> str:
        """The domain of the signature that the milter added; empty without one."""
        tags = self.signature.decode().replace("\n", "").replace("\t", "").split(";")
        return next((tag.strip()[2:] for tag in tags if tag.strip().startswith("d=")), "")

    @property
    def signature(self) -> bytes:
        """The value of the DKIM-Signature that the milter added; empty without one."""
        for letter, content in self.changes:
            if letter in (b"h", b"i"):
                _, name, value = content.partition(b"DKIM-Signature\0")
                if name:
                    return value.rstrip(b"\0")
        return b""


class Connection:
    """A connection to a milter, as smtpd and cleanup hold it for one SMTP session."""

    def __init__(self, path: Path | str, timeout: float = 30) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rb")
        self._send(b"O", LONG.pack(VERSION) + LONG.pack(ACTIONS) + LONG.pack(PROTOCOL))
        _, content = self._read()
        self.protocol = LONG.unpack_from(content, 8)[0]
        self._event(b"C", b"client.example\x004" + b"\x1f\x90" + b"192.0.2.7\0")
        self._event(b"H", b"client.example\0")

    def message(
        self,
        headers: list[tuple[bytes, bytes]],
        *,
        login: str | None = None,
        sender: bytes = b"<anna@acme.example>",
        body: bytes = b"Hello\r\n",
    ) -> Verdict:
        """Hand over one message and return the verdict. Header values are given without the blank after the colon."""
        macros = {b"{auth_type}": b"PLAIN", b"{auth_authen}": login.encode()} if login else {}
        return self.raw_message(headers, macros=macros, sender=sender, body=body)

    def raw_message(
        self, headers: list[tuple[bytes, bytes]], *, macros: dict[bytes, bytes], sender: bytes, body: bytes
    ) -> Verdict:
        return self.envelope(macros=macros, sender=sender) or self.text(headers, body=body)

    def envelope(self, *, macros: dict[bytes, bytes], sender: bytes) -> Verdict | None:
        """Hand over what comes before a message's text; return a verdict that ends the message here."""
        self._hold(b"D", b"M" + _listed(macros))
        for letter, content in ((b"M", sender + b"\0"), (b"R", b"<carla@elsewhere.example>\0")):
            if answer := self._event(letter, content):
                return answer
        self._hold(b"D", b"T" + _listed({b"i": b"4XyZ"}))
        return self._event(b"T", b"")

    def text(self, headers: list[tuple[bytes, bytes]], *, body: bytes = b"Hello\r\n") -> Verdict:
        space = b" " if self.protocol & LEADING_SPACE else b""
        steps = [(b"L", name + b"\0" + space + value + b"\0") for name, value in headers]
        for letter, content in [*steps, (b"N", b""), (b"B", body)]:
            if answer := self._event(letter, content):
                return answer
        self._hold(b"D", b"E")
        self._hold(b"E", b"")
        self._flush()
        return self._verdict()

    def sent(self) -> None:
        """Let what is held back arrive, as Postfix does when its client is about to send the text."""
        self._flush()

    def abort(self) -> None:
        self._send(b"A", b"")

    def close(self) -> None:
        self._send(b"Q", b"")
        self.stream.close()
        self.socket.close()

    def _event(self, letter: bytes, content: bytes) -> Verdict | None:
        """Send one event if it is wanted; return a verdict that ends the message here."""
        if self.protocol & WANTED[letter]:
            return None
        self._hold(letter, content)
        if self.protocol & UNANSWERED[letter]:
            return None
        self._flush()
        verdict = self._verdict()
        # "c" goes on; "s" (skip) too, without more of the body.
        return None if verdict.letter in (b"c", b"s") else verdict

    unsent = b""

    def _hold(self, letter: bytes, content: bytes) -> None:
        self.unsent += FRAME.pack(len(content) + 1, letter[0]) + content

    def _flush(self) -> None:
        self.socket.sendall(self.unsent)
        self.unsent = b""

    def _send(self, letter: bytes, content: bytes) -> None:
        self._hold(letter, content)
        self._flush()

    def _verdict(self) -> Verdict:
        changes = []
        while True:
            letter, content = self._read()
            if letter in CHANGES:
                changes.append((letter, content))
            elif letter != b"p":
                return Verdict(letter, content.rstrip(b"\0").decode(), changes)

    def _read(self) -> tuple[bytes, bytes]:
        """Return the next packet's letter and content. Raises ConnectionError when the milter hung up."""
        frame = self.stream.read(FRAME.size)
        if len(frame) < FRAME.size:
            raise ConnectionError("the milter hung up")
        length, letter = FRAME.unpack(frame)
        return bytes([letter]), self.stream.read(length - 1)


def _listed(macros: dict[bytes, bytes]) -> bytes:
    return b"".join(name + b"\0" + value + b"\0" for name, value in macros.items())
