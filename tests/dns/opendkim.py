"""A real OpenDKIM of a test's own, and the milter protocol that Postfix speaks with it."""

import dataclasses
import os
import shutil
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from dns.dkim import public_record
from dns.models import DkimKey
from dns.signing_folder import SigningFolder
from mailconfig.parameters import Parameters
from mailconfig.render import folders, render
from mailhost.scope import every_tenant
from tests.mail.verifying import assert_verifies_with, key_name

MESSAGE_HEADERS = [
    ("Date", " Mon, 02 Nov 2026 09:00:00 +0000"),
    ("From", " {sender}"),
    ("To", " bob@elsewhere.example"),
    ("Subject", " Hello"),
]
BODY = b"Dear Bob,\r\nall is well.\r\n"


@dataclass
class Passed:
    """What the milter made of one message: its last reply (`a`, `c`, `t`, …) and the headers that it inserted."""

    reply: str
    inserted: list[tuple[str, str]] = field(default_factory=list)
    message: bytes = b""

    @property
    def signature(self) -> str:
        return next((value for name, value in self.inserted if name == "DKIM-Signature"), "")


class Opendkim:
    """OpenDKIM over the configuration of `mailconfig`, below one folder."""

    def __init__(self, home: Path) -> None:
        self.parameters = dataclasses.replace(
            Parameters(),
            milter_socket=home / "milter/opendkim.sock",
            opendkim_config_dir=home / "etc",
            opendkim_pid_file=home / "run/opendkim.pid",
            opendkim_syslog=False,
            dkim_dir=home / "dkim",
        )
        self.process: subprocess.Popen | None = None

    def configure(self) -> None:
        for path, folder in folders(self.parameters, ("opendkim",)).items():
            path.mkdir(mode=folder.mode, exist_ok=True)
            shutil.chown(path, folder.owner, folder.group)
        for path, file in render(self.parameters, ("opendkim",)).items():
            path.write_text(file.text)
        SigningFolder.of(self.parameters).prepare()

    def start(self) -> None:
        self.configure()
        self.process = subprocess.Popen(["opendkim", "-f", "-x", self.parameters.opendkim_config_file])
        give_up_at = time.monotonic() + 15
        while not (self.parameters.milter_socket.exists() and self.parameters.opendkim_pid_file.exists()):
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("OpenDKIM did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            # Left over, they would let the next start look finished.
            self.parameters.milter_socket.unlink(missing_ok=True)
            self.parameters.opendkim_pid_file.unlink(missing_ok=True)

    def check(self) -> subprocess.CompletedProcess:
        """Run `opendkim -n`: the configuration and its tables can be read."""
        return subprocess.run(
            ["opendkim", "-n", "-x", self.parameters.opendkim_config_file], check=False, capture_output=True, text=True
        )

    def pass_message(self, sender: str) -> Passed:
        """Hand over a message that a signed-in person sends from `sender`, in a connection of its own. A signature must
        verify with the key as DNS would show it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(os.fspath(self.parameters.milter_socket))
            passed = Conversation(connection).pass_message(sender)
        if passed.signature:
            name = key_name(passed.message)
            selector, _, domain = name.partition("._domainkey.")
            with every_tenant("a test verifies a signature"):
                key = DkimKey.objects.get(selector=selector, domain__domain_name=domain)
            assert_verifies_with(passed.message, name, public_record(key.public_key))
        return passed


class Conversation:
    """The mail server's side of the milter protocol, version 6, with a reply to each step."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def pass_message(self, sender: str) -> Passed:
        self.ask("O", struct.pack("!III", 6, 0x1FF, 0))
        self.tell("DC", text("j", "mail.mailhost.example", "{daemon_name}", "submission"))
        self.ask("C", text("client.example") + b"4" + struct.pack("!H", 40000) + text("198.51.100.7"))
        self.ask("H", text("client.example"))
        self.tell("DM", text("i", "4ABC", "{mail_addr}", sender, "{auth_type}", "PLAIN", "{auth_authen}", sender))
        self.ask("M", text(f"<{sender}>"))
        self.ask("R", text("<bob@elsewhere.example>"))
        headers = [(name, value.format(sender=sender)) for name, value in MESSAGE_HEADERS]
        for name, value in headers:
            self.ask("L", text(name, value.strip()))
        passed = Passed(self.ask("N")[0])
        # A milter that has no more interest in a message accepts it here.
        if passed.reply != "c":
            return passed
        self.ask("B", BODY)
        self.tell("E")
        while True:
            reply, payload = self.receive()
            if reply == "i":
                name, value = payload[4:].rstrip(b"\0").decode().split("\0", 1)
                passed.inserted.insert(0, (name, value.strip()))
            elif reply == "h":
                name, value = payload.rstrip(b"\0").decode().split("\0", 1)
                passed.inserted.append((name, value.strip()))
            elif reply in "actrydf":
                break
        passed.reply = reply
        lines = [f"{name}: {value}" for name, value in passed.inserted] + [f"{name}:{value}" for name, value in headers]
        passed.message = "\r\n".join([*lines, "", ""]).replace("\r\n", "\n").replace("\n", "\r\n").encode() + BODY
        return passed

    def tell(self, command: str, payload: bytes = b"") -> None:
        packet = command.encode() + payload
        self.connection.sendall(struct.pack("!I", len(packet)) + packet)

    def ask(self, command: str, payload: bytes = b"") -> tuple[str, bytes]:
        self.tell(command, payload)
        return self.receive()

    def receive(self) -> tuple[str, bytes]:
        length = struct.unpack("!I", self.read(4))[0]
        packet = self.read(length)
        return packet[:1].decode(), packet[1:]

    def read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self.connection.recv(count - len(found))
            if not more:
                raise ConnectionError("OpenDKIM closed the connection")
            found += more
        return found


def text(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words)
