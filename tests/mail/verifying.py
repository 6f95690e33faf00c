"""Whether a signed message verifies: by dkimpy, and by OpenDKIM's own tools with the records that the DNS shows.

`opendkim-testmsg` asks the resolver of /etc/resolv.conf on port 53 and nobody else, so it runs in namespaces of its
own, where that is a small server with the records that were just looked up: `python -m tests.mail.verifying NAME TEXT`.
"""

import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

import dkim
import dns.flags
import dns.message
import dns.rrset

from stack.layout import CLONE

SIGNED_BY = re.compile(r"\b([ds])=([^;]+);")
RESOLVER = "127.0.0.1"


def key_name(message: bytes) -> str:
    """Return the name under which DNS shows the key of the message's signature."""
    header = next(value for name, value in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
    tags = dict(SIGNED_BY.findall("".join(header.decode().split())))
    return f"{tags['s']}._domainkey.{tags['d']}"


def as_sent(message: Message) -> bytes:
    """Return a parsed message as it came: by default the email package folds long lines anew."""
    return message.as_bytes(policy=message.policy.clone(refold_source="none"))


def assert_verifies(message: bytes) -> None:
    """Fail unless both verify the message with what the DNS shows now."""
    from dns.lookup import look_up

    name = key_name(message)
    [text] = look_up(name, "TXT").values
    assert verifies(message, name, text)
    checked = checked_by_testmsg(message, name, text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def verifies(message: bytes, name: str, text: str) -> bool:
    """Say whether dkimpy verifies the message where DNS shows this text under that name and nothing else."""
    shown = {f"{name}.".encode(): text.encode()}
    return dkim.verify(message, dnsfunc=lambda asked, **_options: shown.get(asked))


def checked_by_testmsg(message: bytes, name: str, text: str) -> subprocess.CompletedProcess:
    """Run `opendkim-testmsg` on a message where DNS shows this text under that name and nothing else."""
    return _in_namespaces(name, text, input=message.replace(b"\r\n", b"\n").decode())


def refused_by_testmsg(files: Iterable[Path], name: str, text: str) -> list[str]:
    """Return those of the files, each a message with plain line ends, that `opendkim-testmsg` does not verify."""
    ran = _in_namespaces(name, text, *map(str, files))
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def _in_namespaces(name: str, text: str, *files: str, **options) -> subprocess.CompletedProcess:
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.mail.verifying", name, text, *files]
    return subprocess.run(
        command, check=False, cwd=CLONE, capture_output=True, text=True, timeout=60 + len(files), **options
    )


def main(name: str, text: str, *files: str) -> int:
    """Be the only name server of these namespaces, and run the tool on standard input, or on each file: then print
    those that do not verify."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as configuration:
        configuration.write(f"nameserver {RESOLVER}\n")
        configuration.flush()
        subprocess.run(["mount", "--bind", configuration.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((RESOLVER, 53))
        threading.Thread(target=serve, args=(server, name, text), daemon=True).start()
        if not files:
            return subprocess.run(["opendkim-testmsg"], check=False).returncode
        for file in files:
            if subprocess.run(["opendkim-testmsg"], check=False, input=Path(file).read_bytes()).returncode:
                print(file)
        return 0


def serve(server: socket.socket, name: str, text: str) -> None:
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    while True:
        asked, client = server.recvfrom(4096)
        question = dns.message.from_wire(asked)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if question.question[0].name.to_text(omit_final_dot=True).lower() == name:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", strings))
        server.sendto(answer.to_wire(), client)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
