"""Whether a signed message verifies: by dkimpy, and by OpenDKIM's own tool with the records that the DNS shows.

`opendkim-testmsg` asks the resolver of /etc/resolv.conf on port 53 and nobody else, so it runs in namespaces of its
own, where that is a small server with the one record that was just looked up: `python -m tests.mail.verifying`, which
takes a question a line until its input ends.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from email.message import Message
from functools import cache
from pathlib import Path

import dkim
import dns.flags
import dns.message
import dns.rrset
from dns.resolver import Resolver

from stack.layout import CLONE

SIGNED_BY = re.compile(r"\b([ds])=([^;]+);")
RESOLVER = "127.0.0.1"
TIMEOUT_SECONDS = 60


def key_name(message: bytes) -> str:
    """Return the name under which DNS shows the key of the message's signature."""
    header = next(value for name, value in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
    tags = dict(SIGNED_BY.findall("".join(header.decode().split())))
    return f"{tags['s']}._domainkey.{tags['d']}"


def as_sent(message: Message) -> bytes:
    """Return a parsed message as it came: by default the email package folds long lines anew."""
    return message.as_bytes(policy=message.policy.clone(refold_source="none"))


def assert_verifies(message: bytes, dns_port: int) -> None:
    """Fail unless both verify the message with what the name server on this port of 127.0.0.1 shows now."""
    server = Resolver(configure=False)
    server.nameservers, server.port = ["127.0.0.1"], dns_port
    name = key_name(message)
    answer = server.resolve(name, "TXT", lifetime=TIMEOUT_SECONDS, raise_on_no_answer=False)
    if answer.rrset is None:
        # The server follows no alias into another of its zones.
        answer = server.resolve(answer.canonical_name, "TXT", lifetime=TIMEOUT_SECONDS)
    [shown] = answer
    assert_verifies_with(message, name, b"".join(shown.strings).decode())


def assert_verifies_with(message: bytes, name: str, text: str) -> None:
    """Fail unless both verify the message where DNS shows this text under that name and nothing else."""
    assert verifies(message, name, text)
    checked = checked_by_testmsg(message, name, text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), checked


def verifies(message: bytes, name: str, text: str) -> bool:
    """Say whether dkimpy verifies the message where DNS shows this text under that name and nothing else."""
    shown = {f"{name}.".encode(): text.encode()}
    return dkim.verify(message, dnsfunc=lambda asked, **_options: shown.get(asked))


def checked_by_testmsg(message: bytes, name: str, text: str) -> subprocess.CompletedProcess:
    """Run `opendkim-testmsg` on a message where DNS shows this text under that name and nothing else."""
    process = testmsg()
    question = [message.replace(b"\r\n", b"\n").decode("latin-1"), name, text]
    process.stdin.write(f"{json.dumps(question)}\n")
    process.stdin.flush()
    return subprocess.CompletedProcess("opendkim-testmsg", *json.loads(process.stdout.readline()))


def refused_by_testmsg(files: Iterable[Path], name: str, text: str) -> list[Path]:
    """Return those of the files, each a message, that `opendkim-testmsg` does not verify."""
    return [file for file in files if checked_by_testmsg(file.read_bytes(), name, text).returncode]


@cache
def testmsg() -> subprocess.Popen:
    """The process that asks `opendkim-testmsg`; it ends with this one, whose end closes its input."""
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.mail.verifying"]
    return subprocess.Popen(command, cwd=CLONE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Be the only name server of these namespaces, and run the tool on each message that is asked about."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as configuration:
        configuration.write(f"nameserver {RESOLVER}\n")
        configuration.flush()
        subprocess.run(["mount", "--bind", configuration.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((RESOLVER, 53))
        shown: dict[str, str] = {}
        threading.Thread(target=serve, args=(server, shown), daemon=True).start()
        for line in sys.stdin:
            message, name, text = json.loads(line)
            shown.clear()
            shown[name] = text
            ran = subprocess.run(
                ["opendkim-testmsg"],
                check=False,
                input=message.encode("latin-1"),
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
            )
            print(json.dumps([ran.returncode, ran.stdout.decode(), ran.stderr.decode()]), flush=True)


def serve(server: socket.socket, shown: dict[str, str]) -> None:
    while True:
        asked, client = server.recvfrom(4096)
        question = dns.message.from_wire(asked)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        if text := shown.get(name):
            strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", strings))
        server.sendto(answer.to_wire(), client)


if __name__ == "__main__":
    main()
