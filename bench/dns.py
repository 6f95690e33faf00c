"""Live checks of many domains beside the name server's own rate, and the cost of one domain's page.

`python -m bench.dns DOMAINS ROUNDS` is a process of its own, because Django's settings belong to one database; it
prints one JSON line.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import django

from bench.apart import measured_apart, run_apart
from bench.figures import Figure
from bench.servers import Servers
from stack.services import answers_dns, system_environment

DATABASE = "bench_dns"
DOMAINS = 1000
QUESTIONS = 4000
PAGES = 30
START_SECONDS = 15
SOA = "ns.example. hostmaster.example. 1 3600 600 86400 60"


def measure(servers: Servers, rounds: int) -> list[Figure]:
    """Check 1,000 domains whose records all stand. Raises when one is not found right."""
    with servers.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    servers.use(DATABASE)
    run_apart(servers, DATABASE, "manage.py", "migrate", "-v0")
    found = measured_apart(servers, DATABASE, "bench.dns", DOMAINS, rounds)
    more = {
        "seconds for all": found["seconds"],
        "records unanswered": found["unanswered"],
        "questions": found["questions"],
        "the server's own": found["raw_rate"],
    }
    return [
        Figure("DNS: domains checked in a second", DOMAINS, found["domains_per_second"], "/s", more),
        Figure("DNS: questions of a check beside the server's own rate", DOMAINS, found["share"], "x", more),
        Figure("DNS: page of a domain", DOMAINS, found["page_ms"], "ms", {"statements": found["page_statements"]}),
    ]


def compare(count: int, rounds: int) -> dict[str, float]:
    from dns.models import Status  # noqa: PLC0415
    from dns.observation import Subject, observe  # noqa: PLC0415

    subjects = [Subject(name, records_of(name), {}) for name in map(name_of, range(count))]
    with name_server(subjects) as port:
        use(port)
        checks, raws, questions, unanswered = [], [], 0, 0
        for _ in range(rounds):
            raws.append(QUESTIONS / timed(lambda: asyncio.run(ask_plainly(port))))
            with counted_questions() as asked:
                found = []
                checks.append(timed(lambda found=found: found.extend(observe(subjects))))
            questions = asked[0]
            statuses = [one.verdict.status for findings in found for one in findings]
            unanswered = statuses.count(Status.TEMPORARY_FAILURE)
            if len(statuses) != statuses.count(Status.OK) + unanswered:
                raise RuntimeError("a record that stands was not found right")
    seconds, raw_rate = median(checks), median(raws)
    page_ms, statements = page_cost()
    return {
        "seconds": round(seconds, 2),
        "domains_per_second": round(count / seconds, 1),
        "questions": questions,
        "unanswered": unanswered,
        "raw_rate": round(raw_rate),
        "share": round(questions / seconds / raw_rate, 3),
        "page_ms": round(page_ms, 1),
        "page_statements": statements,
    }


def name_of(number: int) -> str:
    return f"d{number:04d}.example"


def records_of(name: str) -> list[Any]:
    from dns.records import Installation, SigningKey, expected_records  # noqa: PLC0415

    installation = Installation(
        "mail.mailhost.example",
        spf_include="_spf.mailhost.example",
        setup_host="setup.mailhost.example",
        tls_reports="tls@mailhost.example",
    )
    key = SigningKey("s1", "A" * 392)
    return expected_records(name, challenge="c0ffee", installation=installation, keys=[key], uid="0" * 20)


def use(port: int) -> None:
    from django.conf import settings  # noqa: PLC0415

    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{port}"]
    settings.MAILHOST_AUTHORITATIVE_PORT = port
    settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]


async def ask_plainly(port: int) -> None:
    """Ask as fast as dnspython does without anything of ours."""
    from dns.asyncquery import udp  # noqa: PLC0415
    from dns.message import make_query  # noqa: PLC0415

    from dns.lookup import EDNS_PAYLOAD  # noqa: PLC0415

    gate = asyncio.Semaphore(256)

    async def one(number: int) -> None:
        async with gate:
            query = make_query(f"{name_of(number % DOMAINS)}.", "MX", use_edns=0, payload=EDNS_PAYLOAD)
            await udp(query, "127.0.0.1", timeout=5, port=port)

    await asyncio.gather(*(one(number) for number in range(QUESTIONS)))


@contextmanager
def counted_questions() -> Iterator[list[int]]:
    """Count the packets that checks send."""
    from dns import lookup  # noqa: PLC0415

    asked, plain = [0], lookup.udp_with_fallback

    async def counting(*arguments: Any, **named: Any) -> Any:
        asked[0] += 1
        return await plain(*arguments, **named)

    lookup.udp_with_fallback = counting
    try:
        yield asked
    finally:
        lookup.udp_with_fallback = plain


@contextmanager
def name_server(subjects: list[Any]) -> Iterator[int]:
    """Run a BIND that serves what these domains should publish."""
    folder = Path(tempfile.mkdtemp(prefix="mailhost-bench-", dir="/var/lib"))
    shutil.chown(folder, "bind", "bind")
    port = free_port()
    records = [
        f"{record.name}. 60 IN {record.record_type} {record.rdata}"
        for subject in subjects
        for record in subject.records
    ]
    head = ["$TTL 60", f"example. IN SOA {SOA}", "example. IN NS ns.example.", "ns.example. IN A 127.0.0.1"]
    other = ["$TTL 60", f"mailhost.example. IN SOA {SOA}", "mailhost.example. IN NS ns.example."]
    other += [f"{host}.mailhost.example. IN A 127.0.0.1" for host in ("mail", "setup")]
    (folder / "example.zone").write_text("\n".join([*head, *records, ""]))
    (folder / "mailhost.zone").write_text("\n".join([*other, ""]))
    zones = [("example", "example"), ("mailhost.example", "mailhost")]
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; '
        "recursion no; dnssec-validation no; pid-file none; session-keyfile none; };\n"
        + "".join(f'zone "{zone}" {{ type primary; file "{file}.zone"; }};\n' for zone, file in zones)
    )
    command = ["/usr/sbin/named", "-4", "-f", "-n", "1", "-u", "bind", "-c", str(folder / "named.conf")]
    server = subprocess.Popen(command, env=system_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + START_SECONDS
        while not answers_dns(port):
            if time.monotonic() > ends or server.poll() is not None:
                raise RuntimeError("BIND did not start")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(START_SECONDS)
        shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page_cost() -> tuple[float, int]:
    """Return the median milliseconds of a domain's page, and its statements."""
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.actors import system_actor  # noqa: PLC0415
    from accounts.models import User  # noqa: PLC0415
    from accounts.operations import create_user  # noqa: PLC0415
    from dns.tasks import make_key, refresh_records  # noqa: PLC0415
    from domains.operations import create_domain  # noqa: PLC0415
    from tenants.models import Role  # noqa: PLC0415
    from tenants.operations import found_installation  # noqa: PLC0415
    from tests.webside import signed_in  # noqa: PLC0415

    settings.ALLOWED_HOSTS = ["testserver"]
    operator = found_installation("Bench")
    actor = system_actor(operator, "bench")
    domain = create_domain(actor, name="page.example")
    make_key(domain.pk)
    refresh_records(domain.pk)
    create_user(actor, tenant=operator, email="bench@mailhost.example", role=Role.OWNER, password=os.urandom(12).hex())
    browser = signed_in(User.objects.get(email="bench@mailhost.example"))
    path = f"/domains/{domain.uid}/"
    if browser.get(path).status_code != 200:
        raise RuntimeError("the page of a domain does not open")
    with CaptureQueriesContext(connection) as statements:
        browser.get(path)
    # Now: the next request empties Django's list.
    count = len(statements)
    return 1000 * median(timed(lambda: browser.get(path)) for _ in range(PAGES)), count


def timed(act) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    os.environ["MAILHOST_LOG_LEVEL"] = "ERROR"
    django.setup()
    print(json.dumps(compare(int(sys.argv[1]), int(sys.argv[2]))))
