"""Milliseconds for one signed message on an authenticated submission session, milters and all."""

import os
import random
import smtplib
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from statistics import median

from bench.databases import PASSWORD, VOLUME_DOMAIN, Database
from bench.figures import Figure
from bench.servers import Servers, wait_until
from bench.timing import in_turn, one_core, ratio, spread
from dns.signing_folder import SigningFolder
from mailconfig import files
from mailconfig.render import File

DAEMONS = ("dovecot", "opendkim", "guard", "postfix", "outside")
SENDER = f"1box@{VOLUME_DOMAIN}"
BODY = ("a line of sixty-four characters, as people's mail programs write\n" * 31)[:2000]


def measure(servers: Servers, database: Database, messages: int, rounds: int) -> list[Figure]:
    """Send signed messages, one after the other in one session, and in turn the same without the milters: what is left
    then is Postfix, its maps and the disk. Raises when a message leaves unsigned."""
    with _sending(servers, database):
        milters = _milters(servers)
        seconds = in_turn(
            rounds,
            {
                "signed": lambda: _seconds(servers, ", ".join(milters), messages),
                "bare": lambda: _seconds(servers, "", messages),
                "fsync": lambda: _fsync_seconds(servers.params.postfix_queue_dir, messages) * messages,
            },
        )
    each = {name: [1000 * value / messages for value in values] for name, values in seconds.items()}
    more = {
        "spread": spread(each["signed"]),
        "milters": "guard of header From, OpenDKIM",
        "without them ms": median(each["bare"]),
        "one fsync ms": median(each["fsync"]),
        "bytes": len(BODY),
    }
    return [Figure("signed submission", database.size, median(each["signed"]), "ms a message", more)]


def measure_guard(servers: Servers, database: Database, messages: int, rounds: int) -> list[Figure]:
    """Compare the rate of signed submissions with the guard and without it, in turn, round by round."""
    with _sending(servers, database):

        def rate(milters: str) -> float:
            return messages / _seconds(servers, milters, messages)

        guard, signer = _milters(servers)
        with one_core(servers.pid("guard"), servers.pid("opendkim"), servers.pid("postfix")) as is_pinned:
            rates = in_turn(rounds, {"with": lambda: rate(f"{guard}, {signer}"), "without": lambda: rate(signer)})
    cost = 1 - ratio(rates["with"], rates["without"])
    more = {"spread": spread(rates["with"]), "messages/s": median(rates["with"]), "is pinned": is_pinned}
    return [Figure("the guard's cost", database.size, cost, "of the rate without it", more)]


def _milters(servers: Servers) -> tuple[str, str]:
    return f"unix:{servers.params.guard_socket}", f"unix:{servers.params.milter_socket}"


def _seconds(servers: Servers, milters: str, messages: int) -> float:
    """Return how long messages take through these milters, in a new session: smtpd reads them when it starts."""
    configuration = str(servers.params.postfix_config_dir)
    subprocess.run(["postconf", "-c", configuration, "-e", f"smtpd_milters = {milters}"], check=True)
    subprocess.run(["postfix", "-c", configuration, "reload"], check=True, capture_output=True)
    time.sleep(1)
    session = _signed_in(servers)
    _send(session, 10)
    seconds = _send(session, messages)
    session.quit()
    return seconds


def _fsync_seconds(folder: Path, files_written: int) -> float:
    """Return what it takes, in the median, to write a message's bytes to a file of that disk and have them safe."""
    path, times = folder / "bench-fsync", []
    for _ in range(files_written):
        with path.open("wb") as file:
            file.write(BODY.encode())
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
        path.unlink()
    return median(times)


@contextmanager
def _sending(servers: Servers, database: Database) -> Iterator[None]:
    """Run what a submission needs, once the first messages have left signed."""
    servers.use(database.name)
    _make_key(servers)
    check = ["postfix", "-c", str(servers.params.postfix_config_dir), "check"]
    subprocess.run(check, check=True, capture_output=True)
    outside = servers.home / "outside"
    for path in outside.iterdir():
        path.unlink()
    try:
        for name in DAEMONS:
            servers.start(name)
        session = _signed_in(servers)
        _send(session, 10)
        if not wait_until(lambda: _arrived(outside, b"X-Mail-Args:") >= 10, seconds=30):
            raise RuntimeError(f"messages did not arrive outside; see {servers.params.postfix_log}")
        if (signed := _arrived(outside, b"DKIM-Signature:")) != 10:
            raise RuntimeError(f"{signed} of 10 messages left signed")
        session.quit()
        yield
    finally:
        servers.stop(*reversed(DAEMONS))


def _make_key(servers: Servers) -> None:
    folder: Path = servers.params.dkim_dir
    key = folder / "keys/bench.pem"
    made = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True)
    signer = {"daemon": "opendkim", "owner": "opendkim", "group": "opendkim", "mode": 0o600}
    files.write(key, File(made.stdout, **signer))
    tables = SigningFolder.of(servers.params)
    tables.key_table.replace(f"bench {VOLUME_DOMAIN}:bench:{key}\n")
    tables.signing_table.replace(f"{VOLUME_DOMAIN} bench\n")


def _arrived(outside: Path, header: bytes) -> int:
    """Return how often a header stands in what the outside took; smtp-sink begins each message with X-Mail-Args."""
    texts = (path.read_bytes() for path in outside.iterdir() if path.is_file())
    return sum(line.startswith(header) for text in texts for line in text.splitlines())


def _signed_in(servers: Servers) -> smtplib.SMTP:
    session = smtplib.SMTP("127.0.0.1", servers.params.submission_port, timeout=30)
    session.starttls(context=ssl.create_default_context(cafile=servers.home / "tls/ca.pem"))
    session.login(SENDER, PASSWORD)
    return session


def _send(session: smtplib.SMTP, messages: int) -> float:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, "reader@elsewhere.example", "Bench"
    message["Date"], message["Message-ID"] = "Mon, 02 Nov 2026 09:00:00 +0000", f"<{random.random()}@{VOLUME_DOMAIN}>"
    message.set_content(BODY)
    content = message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    started = time.perf_counter()
    for _ in range(messages):
        session.sendmail(SENDER, ["reader@elsewhere.example"], content)
    return time.perf_counter() - started
