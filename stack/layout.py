"""Where a private stack lives: its folder, its ports and its secrets."""

import hashlib
import json
import os
import random
import re
import secrets
import socket
import stat
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
# Where customers' autoconfig, autodiscover and mta-sts names lead, and who takes the reports about their domains.
SETUP_HOST = "setup.mailhost.example"
REPORTS_DOMAIN = "reports.example"
REPORTS_ADDRESS = f"reports@{REPORTS_DOMAIN}"
# Everyone who must reach files of the stack: the daemons' own users, and 5000, the owner of all mail.
DAEMON_USERS = ("mysql", "redis", "bind", "postfix", "dovecot", "dovenull", "opendkim", 5000)
# sockaddr_un holds 108 bytes with the closing zero; the longest name that a daemon puts below the home is
# postfix/queue/private/<service> of up to 16 characters.
SOCKET_BYTES = 107
# What the daemons' configuration files take as a name as it stands.
PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
LONGEST_SOCKET = len("/postfix/queue/private/") + 16
LONGEST_PROFILE = len("/private-000000")

DEMO_PORTS = {
    "web": 8000,
    "https": 8443,
    "smtp": 2525,
    "submission": 2587,
    "submissions": 2465,
    "imap": 2143,
    "imaps": 2993,
    "pop3": 2110,
    "pop3s": 2995,
    "managesieve": 4190,
    "dns": 2053,
    "mysql": 2306,
    "redis": 2379,
    "reinject": 2526,
    "doveadm": 2081,
    "sign_in": 2082,
    "outside": 2626,
}


def unfit(folder: Path) -> str | None:
    """Say why the daemons cannot live in `folder` (it need not exist yet), or None when they can."""
    if len(os.fsencode(folder)) + LONGEST_PROFILE + LONGEST_SOCKET > SOCKET_BYTES:
        return f"{folder} is too long for the name of a Unix socket"
    if not PLAIN.fullmatch(str(folder)):
        return f"{folder} has signs in its name that configuration files cannot take"
    existing = folder
    while not existing.exists():
        existing = existing.parent
    for parent in (existing, *existing.parents):
        # OpenDKIM takes no key from below a folder that anyone but root or itself may write.
        status = parent.stat()
        if status.st_uid != 0 or status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid):
            return f"{parent} can be changed by others than root"
    for user in DAEMON_USERS:
        # The kernel is asked, not the mode bits: ACLs and mount options count too.
        asked = subprocess.run(["test", "-x", existing], check=False, user=user, group=user, extra_groups=[], cwd="/")
        if asked.returncode:
            return f"the user {user} may not enter {existing}"
    return None


def runtime_base(clone: Path = CLONE) -> tuple[Path, str | None]:
    """Return the folder for run-time files and, when it is not the clone's var/, why."""
    base = clone / "var"
    why = unfit(base)
    if why is None:
        return base, None
    return Path("/var/lib") / f"mailhost-{hashlib.sha256(os.fsencode(clone)).hexdigest()[:10]}", why


# By port, what keeps it from other stacks: seconds pass between choosing a port and listening on it.
_reserved: dict[int, socket.socket] = {}


def free_ports(preferred: dict[str, int] | None = None) -> dict[str, int]:
    """Return a free port of 127.0.0.1 for every service: the preferred one, or the next free one above it.

    No other stack of this machine gets one of them until `release_ports`, or until this process ends. Without
    preference the ports are random and below 32768, so that no outgoing connection takes one meanwhile.
    """
    ports: dict[str, int] = {}
    for name in DEMO_PORTS:
        port = preferred[name] if preferred else random.randrange(20000, 32000)  # noqa: S311 - a port, no secret
        while not _reserve(port):
            port += 1
        ports[name] = port
    return ports


def release_ports(ports: Iterable[int]) -> None:
    for port in ports:
        if held := _reserved.pop(port, None):
            held.close()


def _reserve(port: int) -> bool:
    """Reserve a port, if it is free and no other stack has reserved it.

    The reservation is a name among Linux's abstract sockets: it stands in no folder, and it goes with its process.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0mailhost/port/{port}")
    except OSError:
        held.close()
        return False
    if not _is_free(port):
        held.close()
        return False
    _reserved[port] = held
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def load_secrets(path: Path) -> dict[str, str]:
    """Return the stack's passwords and keys; make those that are missing. The file is root's alone."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    made = {
        name: secrets.token_urlsafe(24)
        for name in ("panel", "postfix", "dovecot", "signer", "doveadm", "django", "redis", "reports")
    }
    # A Fernet key is 32 bytes in URL-safe base64.
    made["dkim_keys"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made["vault_keys"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made["dns_update"] = b64encode(secrets.token_bytes(32)).decode()
    made["dkim_update"] = b64encode(secrets.token_bytes(32)).decode()
    if made.keys() - kept.keys():
        kept = made | kept
        write_private(path, json.dumps(kept, indent=1))
    return kept


def write_private(path: Path, text: str) -> None:
    """Replace `path` at once by a file that only root can read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def migrations_fingerprint() -> str:
    """Return a digest of all migrations: a database made by other ones is of no use to these tests."""
    digest = hashlib.sha256()
    for path in sorted(CLONE.glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
