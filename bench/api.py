"""Requests a second of the REST API beside a route that only knows the key: `python -m bench.api`, one JSON line.

A process of its own, because Django's settings belong to one database. It starts the web server with production's own
configuration (`mailhost.serving`) and two workers, asks it over TCP, a connection for each request, and stops it.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from statistics import median, quantiles
from typing import Any

from bench.apart import measured_apart, web_server
from bench.databases import LARGE_TENANT_ID, MAILBOXES_PER_DOMAIN, NAMES, Database
from bench.figures import Figure
from bench.servers import Servers
from bench.timing import in_turn, ratio

CLIENTS = (1, 8)
# The tenant that is asked for owns so many mailboxes, where the database has as many.
TENANT_ID, TENANT_MAILBOXES = LARGE_TENANT_ID + 1, 100_000
PAGE_1000_ROWS, MOST_ROWS = 10_000, 200
BATCH = 1000
HASH = "{SHA512-CRYPT}$6$mailhostbench$" + "x" * 86
SEARCH, MIDST = "search", "search in the midst"
READS = ("get one", "list 10", "list 50", "list 10, page 1,000", SEARCH)
CREATES = ("create a domain", "create a mailbox")
FLOOR = "floor"
MEASURE_SECONDS = 0.5

Ask = Callable[[], bytes]


def measure(servers: Servers, chosen: list[Database], rounds: int) -> list[Figure]:
    """Measure the smallest and the largest database; return the figures of both, and how the one grows to the other."""
    sizes = {database.size: database for database in (chosen[0], chosen[-1])}
    found = {size: _asked(servers, database, rounds) for size, database in sizes.items()}
    figures = [figure for size, results in found.items() for figure in _figures(size, results)]
    small, large = min(found), max(found)
    if small != large:
        for name in (*READS, *CREATES):
            shares = [found[size][f"{name}, 1 client"]["of_floor"] for size in (large, small)]
            figures.append(Figure(f"API growth: {name}", large, shares[0] / shares[1], "×", {"from": small}))
    return figures


def _asked(servers: Servers, database: Database, rounds: int) -> dict[str, dict[str, float]]:
    servers.use(database.name)
    _give_tenant(servers, database)
    return measured_apart(
        servers,
        database.name,
        "bench.api",
        rounds,
        DJANGO_SETTINGS_MODULE="bench.api_settings",
        # Counted as always, and never refused.
        MAILHOST_API_REQUESTS_PER_MINUTE_OF_KEY=str(10**9),
        MAILHOST_API_REQUESTS_PER_MINUTE_OF_TENANT=str(10**9),
    )


def _give_tenant(servers: Servers, database: Database) -> None:
    """Let one tenant own many domains: those after the first tenant's, by a statement for each table."""
    first = 1 + (10_000 // MAILBOXES_PER_DOMAIN if database.domains > 1000 else 0)
    last = first + TENANT_MAILBOXES // MAILBOXES_PER_DOMAIN - 1
    root = servers.root_connection()
    root.select_db(database.name)
    with root.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for table, column in (("mail_domains", "id"), ("mail_mailboxes", "domain_id"), ("mail_aliases", "domain_id")):
            cursor.execute(f"UPDATE {table} SET tenant_id = {TENANT_ID} WHERE {column} BETWEEN {first} AND {last}")
        # A limit of its own, so that making something weighs it.
        cursor.execute(f"UPDATE tenants_allowance SET mailboxes = 1e9, domains = 1e9 WHERE tenant_id = {TENANT_ID}")
        root.commit()
        cursor.execute("ANALYZE TABLE mail_domains, mail_mailboxes, tenants_allowance")


def _figures(size: int, results: dict[str, dict[str, float]]) -> Iterator[Figure]:
    for name, found in results.items():
        more = {key: value for key, value in found.items() if key not in {"of_floor", "unit"}}
        yield Figure(f"API {name}", size, found["of_floor"], found.get("unit", "of floor"), more)


# --- in the process of its own -----------------------------------------------------------------------------------


class Site:
    """The web server that is measured, and how it is asked."""

    def __init__(self, port: int, key: str, domain: str, address: str) -> None:
        self.port, self.key, self.domain, self.address = port, key, domain, address
        self.numbers = count(time.time_ns())

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """Send one request and return the answer. Raises RuntimeError for anything but success."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(head.encode() + data)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        answer = b"".join(parts)
        if not answer.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(f"{method} {path}: {answer[:300]!r}")
        return answer

    def read(self, path: str) -> Any:
        return json.loads(self.ask("GET", path).partition(b"\r\n\r\n")[2])

    def mailbox(self) -> dict[str, Any]:
        return {"email": f"new{next(self.numbers)}@{self.domain}", "password_hash": HASH, "storage_quota": 10}

    def with_password(self) -> dict[str, Any]:
        return {**self.mailbox(), "password_hash": None, "password": f"river.Lamp.{next(self.numbers)}"}

    def asks(self) -> dict[str, Ask]:
        """Return what is measured, each as one request."""
        after = self.place_of_page_1000()
        # How the addresses of one person in each domain begin, and what stands within those of another.
        begins, within = NAMES[-1][:3], NAMES[-2][1:]
        return {
            FLOOR: lambda: self.ask("GET", "/noop"),
            "get one": lambda: self.ask("GET", f"/mailboxes/{self.address}"),
            "list 10": lambda: self.ask("GET", "/mailboxes?limit=10"),
            "list 50": lambda: self.ask("GET", "/mailboxes?limit=50"),
            "list 10, page 1,000": lambda: self.ask("GET", f"/mailboxes?limit=10&after={after}"),
            SEARCH: lambda: self.ask("GET", f"/mailboxes?limit=10&q={begins}"),
            MIDST: lambda: self.ask("GET", f"/mailboxes?limit=10&q={within}"),
            "create a domain": lambda: self.ask("POST", "/domains", {"name": f"new{next(self.numbers)}.example"}),
            "create a mailbox": lambda: self.ask("POST", "/mailboxes", self.mailbox()),
        }

    def place_of_page_1000(self) -> str:
        """Return the cursor of row 10,000, or of the last full page before it."""
        path, cursor = f"/mailboxes?limit={MOST_ROWS}", ""
        for _ in range(PAGE_1000_ROWS // MOST_ROWS):
            page = self.read(f"{path}&after={cursor}" if cursor else path)
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
        return cursor

    def plain(self) -> float:
        """Return the seconds of a mailbox whose password is hashed here."""
        body = {name: value for name, value in self.with_password().items() if value is not None}
        return _seconds(lambda: self.ask("POST", "/mailboxes", body))

    def batch(self) -> float:
        """Return the mailboxes a second of one batch of 1,000."""
        body = {"mode": "atomic", "items": [self.mailbox() for _ in range(BATCH)]}
        return BATCH / _seconds(lambda: self.ask("POST", "/mailboxes/batch", body))


def _seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def rate(ask: Ask, clients: int, latencies: list[float]) -> float:
    """Return the requests a second of so many clients at once; note how long each took."""

    def client(_number: int) -> int:
        done, until = 0, time.perf_counter() + MEASURE_SECONDS
        while time.perf_counter() < until:
            latencies.append(_seconds(ask))
            done += 1
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        done = sum(pool.map(client, range(clients)))
    return done / (time.perf_counter() - started)


def compare(site: Site, rounds: int) -> dict[str, dict[str, float]]:
    """Return each kind of request beside the floor, by clients."""
    asks = site.asks()
    for ask in asks.values():
        ask()
    results: dict[str, dict[str, float]] = {}
    for clients in CLIENTS:
        latencies: dict[str, list[float]] = {name: [] for name in asks}
        contenders = {name: partial(rate, ask, clients, latencies[name]) for name, ask in asks.items()}
        rates = in_turn(rounds, contenders)
        for name, values in rates.items():
            twentieths = quantiles(latencies[name], n=20)
            results[f"{name}, {clients} client{'s' if clients > 1 else ''}"] = {
                "of_floor": ratio(values, rates[FLOOR]),
                "requests_per_s": median(values),
                "p50_ms": median(latencies[name]) * 1000,
                "p95_ms": twentieths[-1] * 1000,
            }
        if clients == 1:
            pages = ratio(rates["list 10, page 1,000"], rates["list 10"])
            results["page 1,000 beside page 1"] = {"of_floor": pages, "unit": "×"}
            single = median(rates["create a mailbox"])
    batches = [site.batch() for _ in range(rounds)]
    results["batch of 1,000 beside single creates"] = {
        "of_floor": median(batches) / single,
        "unit": "×",
        "mailboxes_per_s": median(batches),
        "singles_per_s": single,
    }
    hashing = [site.plain() * 1000 for _ in range(5)]
    results["create a mailbox with a password"] = {"of_floor": median(hashing), "unit": "ms"}
    return results


def main() -> None:
    import django  # noqa: PLC0415 - the settings of this process are chosen by its environment

    django.setup()
    from accounts.actors import system_actor  # noqa: PLC0415
    from accounts.operations import create_api_key  # noqa: PLC0415
    from mailboxes.models import Mailbox  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415

    with every_tenant("the bench chooses its customer"):
        tenant = Tenant.objects.get(pk=TENANT_ID)
        mailbox = Mailbox.objects.filter(tenant=tenant).select_related("domain").order_by("-pk").first()
    scopes = ["domains:write", "domains:read", "mailboxes:write", "mailboxes:read"]
    _, key = create_api_key(system_actor(tenant, "the bench"), tenant=tenant, name="Bench", scopes=scopes)
    with web_server() as port:
        print(json.dumps(compare(Site(port, key, mailbox.domain.domain_name, mailbox.email), int(sys.argv[1]))))


if __name__ == "__main__":
    main()
