"""`python -m bench`: measure, print, and write bench/results.json and bench/results.md (docs/bench.md)."""

import argparse
import os
import platform
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import api, databases, delivery, dns, figures, maps, pages, sign_in, signing, submission
from bench.apart import measured_apart
from bench.databases import Database
from bench.figures import Figure
from bench.servers import Servers
from stack.steps import say, step
from stack.supervisor import StepFailed

PARTS = ("maps", "passdb", "delivery", "imap", "submission", "guard", "signing", "suspension", "dns", "api", "pages")
# The rows of ours, their indexes, and PostfixAdmin's tables beside them, for each mailbox; and a base.
KILOBYTES_PER_MAILBOX, BASE_MB = 3.5, 512


@dataclass(frozen=True)
class Amounts:
    """How much of each thing is done; `rounds` of everything that is compared."""

    sizes: tuple[int, ...]
    rounds: int
    keys: int
    messages: int
    sign_ins: int
    signing_domains: tuple[int, int]


FULL = Amounts(
    (1_000, 100_000, 1_000_000), rounds=7, keys=4000, messages=800, sign_ins=300, signing_domains=(1_000, 100_000)
)
QUICK = Amounts((1_000, 20_000), rounds=3, keys=2000, messages=400, sign_ins=120, signing_domains=(1_000, 10_000))


def main() -> int:
    options = arguments()
    amounts = QUICK if options.quick else FULL
    sizes = tuple(sorted(set(options.sizes or amounts.sizes)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, load = time.monotonic(), os.getloadavg()[0]
    servers = Servers(say)
    measured: list[Figure] = []
    failed: list[str] = []
    try:
        chosen = [Database(size) for size in sizes]
        prepare(servers, chosen)
        for part in options.parts:
            try:
                with step(f"Measuring: {part}"):
                    measured += measure(part, servers, chosen, amounts)
            except (RuntimeError, OSError, StepFailed, smtplib.SMTPException, subprocess.SubprocessError) as error:
                # One part that fails is said, and the others are measured all the same.
                failed.append(f"{part}: {error}")
                say(failed[-1])
    finally:
        # The logs of what failed are among the files.
        servers.close(options.keep or bool(failed))
    about = {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "run": "quick" if options.quick else "full",
        "seconds": round(time.monotonic() - began),
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "processors": f"{os.cpu_count()} × {processor()}",
        "versions": versions(),
        "rounds": amounts.rounds,
        "failed": "; ".join(failed) or "nothing",
    }
    table = figures.write(about, measured)
    print(table.read_text())
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small databases and few rounds: two minutes")
    parser.add_argument("--sizes", type=numbers, help="numbers of mailboxes, with commas: 1000,100000")
    parser.add_argument("--parts", type=parts, default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")
    return parser.parse_args()


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def parts(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}")
    return chosen


def prepare(servers: Servers, chosen: list[Database]) -> None:
    """Start the servers and fill a database for each size."""
    with step("MariaDB and Redis"):
        servers.open(round(BASE_MB + sum(one.size for one in chosen) * KILOBYTES_PER_MAILBOX / 1024))
    for database in chosen:
        with step(f"A database of {database.size:,} mailboxes") as notes:
            if not databases.make(servers, database):
                notes.append("kept from an earlier run")
            databases.grant_daemons(servers, database)
    with step("Waiting until MariaDB has written it all"):
        databases.settle(servers)


def measure(part: str, servers: Servers, chosen: list[Database], amounts: Amounts) -> list[Figure]:
    """Return the figures of one part. What does not depend on the size is measured on the largest database."""
    largest = chosen[-1]
    measured: dict[str, Callable[[], list[Figure]]] = {
        "maps": lambda: maps.measure(servers, chosen, amounts.keys, amounts.rounds),
        "passdb": lambda: [
            one
            for database in chosen
            for one in sign_in.measure_passdb(servers, database, amounts.keys, amounts.rounds)
        ],
        "delivery": lambda: [
            one for database in chosen for one in delivery.measure(servers, database, amounts.messages, amounts.rounds)
        ],
        "imap": lambda: sign_in.measure_imap(servers, largest, amounts.sign_ins, amounts.rounds),
        "submission": lambda: submission.measure(servers, largest, amounts.messages // 10, amounts.rounds),
        "guard": lambda: submission.measure_guard(servers, largest, amounts.messages // 10, amounts.rounds),
        "signing": lambda: signing.measure(servers, *amounts.signing_domains, amounts.rounds),
        "suspension": lambda: suspend(servers, largest),
        "dns": lambda: dns.measure(servers, amounts.rounds),
        # Last, because they give one tenant more than the others measure with.
        "api": lambda: api.measure(servers, chosen, amounts.rounds),
        "pages": lambda: pages.measure(servers, pages.fitting(chosen), amounts.rounds),
    }
    return measured[part]()


def suspend(servers: Servers, database: Database) -> list[Figure]:
    """Suspend a tenant with 10,000 mailboxes; a database with fewer has none such."""
    if database.size < databases.LARGE_TENANT_MAILBOXES:
        return []
    servers.use(database.name)
    found = measured_apart(servers, database.name, "bench.suspension")
    updates = found["updates_by_table"]
    of_mail = max(count for table, count in updates.items() if table.startswith("mail_"))
    more = {"mailboxes": found["mailboxes"], "statements": found["statements"]}
    return [
        Figure("suspending a tenant", database.size, found["seconds"], "s", more),
        Figure("suspending a tenant: UPDATEs of one mail table", database.size, of_mail, "at most", updates),
    ]


def processor() -> str:
    with open("/proc/cpuinfo") as file:
        return next(
            (line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine()
        )


def versions() -> str:
    said = (["mariadbd", "--version"], ["postconf", "-d", "-h", "mail_version"], ["dovecot", "--version"])
    answers = [subprocess.run(words, check=False, capture_output=True, text=True).stdout.split() for words in said]
    return f"MariaDB {answers[0][2]}, Postfix {' '.join(answers[1])}, Dovecot {answers[2][0]}"


if __name__ == "__main__":
    sys.exit(main())
