"""First bytes of lists in a full tenant beside those of the same pages in an empty one: `python -m bench.pages`, one
JSON line.

A process of its own, because Django's settings belong to one database. It starts the web server as production does,
asks it over TCP as somebody who is signed in, a connection for each page, and stops it.
"""

import json
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from bench.apart import measured_apart, web_server
from bench.databases import LARGE_TENANT_ID, MAILBOXES_PER_DOMAIN, Database
from bench.figures import Figure
from bench.servers import Servers
from bench.timing import in_turn, ratio

TENANT_ID, TENANT_MAILBOXES = LARGE_TENANT_ID + 1, 100_000
SUSPENDED_EVERY = 50
# Resellers, one with customers and one without, and a customer who has nothing; far behind the ids of the filling.
RESELLER_ID, LONELY_ID, EMPTY_ID = 2_000_001, 2_000_002, 2_000_003
FIRST_CUSTOMER_ID, CUSTOMERS = 3_000_000, 10_000
PAGE = 1000
TIMES = 5
PASSWORD = "an orchard of quiet bells"  # noqa: S105 - opens the bench's own panel


def measure(servers: Servers, database: Database, rounds: int) -> list[Figure]:
    """Measure one database. Its large customer gets all domains that a tenant with so many mailboxes has."""
    servers.use(database.name)
    _fill(servers, database)
    results = measured_apart(servers, database.name, "bench.pages", rounds)
    return [Figure(f"page {name}", database.size, found.pop("of_empty"), "×", found) for name, found in results.items()]


def fitting(chosen: list[Database]) -> Database:
    """Return the smallest database that fills the tenant, or else the largest."""
    return next((database for database in chosen if database.size >= TENANT_MAILBOXES), chosen[-1])


def _fill(servers: Servers, database: Database) -> None:
    """Give one tenant so many mailboxes, some of them suspended, and a reseller many customers; set-based."""
    last = min(database.domains, TENANT_MAILBOXES // MAILBOXES_PER_DOMAIN)
    root = servers.root_connection()
    root.select_db(database.name)
    tenants = (
        "INSERT IGNORE INTO tenants_tenant (id, uid, parent_id, path, kind, name, blocks_sign_in, blocks_sending,"
        " blocks_receiving, suspension_reason, may_sign_in, may_send, may_receive, created_at, updated_at)"
    )
    rest = "0, 0, 0, '', 1, 1, 1, NOW(6), NOW(6)"
    name = "CONCAT(ELT(1 + seq MOD 7, 'Alder', 'Birch', 'Cedar', 'Elm', 'Maple', 'Oak', 'Pine'), ' ', seq)"
    with root.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for table, column in (("mail_domains", "id"), ("mail_mailboxes", "domain_id"), ("mail_aliases", "domain_id")):
            cursor.execute(f"UPDATE {table} SET tenant_id = {TENANT_ID} WHERE {column} <= {last}")
        cursor.execute(
            "UPDATE mail_mailboxes SET is_enabled = 0, is_active = 0, may_receive = 0, may_smtp = 0, may_imap = 0,"
            f" may_pop3 = 0, may_sieve = 0 WHERE domain_id <= {last} AND id MOD {SUSPENDED_EVERY} = 0"
        )
        for number, kind in ((RESELLER_ID, "reseller"), (LONELY_ID, "reseller"), (EMPTY_ID, "customer")):
            cursor.execute(
                f"{tenants} VALUES ({number}, LEFT(SHA1('made {number}'), 20), 1, '/1/{number}/', '{kind}',"
                f" 'made {number}', {rest})"
            )
        cursor.execute(
            f"{tenants} SELECT {FIRST_CUSTOMER_ID} + seq, LEFT(SHA1(CONCAT('customer', seq)), 20), {RESELLER_ID},"
            f" CONCAT('/1/{RESELLER_ID}/', {FIRST_CUSTOMER_ID} + seq, '/'), 'customer', {name}, {rest}"
            f" FROM seq_1_to_{CUSTOMERS}"
        )
        cursor.execute(
            "INSERT IGNORE INTO tenants_allowance (tenant_id, path, is_live, messages_per_hour, messages_per_day,"
            " used_domains, used_mailboxes, used_aliases, used_storage_mb, used_members, used_sub_tenants,"
            " stored_bytes, stored_messages) SELECT id, path, 1, 1e9, 1e9, 0, 0, 0, 0, 0, 0, 0, 0 FROM tenants_tenant"
        )
        root.commit()
        cursor.execute("ANALYZE TABLE mail_domains, mail_mailboxes, mail_aliases, tenants_tenant, tenants_allowance")


# --- in the process of its own -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """The web server that is measured, for one person."""

    port: int
    cookie: str

    def first_byte(self, path: str) -> float:
        """Return the seconds until the answer begins. Raises RuntimeError for anything but a page."""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookie}\r\nConnection: close\r\n\r\n"
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(head.encode())
            answer = connection.recv(65536)
            seconds = time.perf_counter() - started
            while connection.recv(65536):
                pass
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path}: {answer[:300]!r}")
        return seconds

    def usual(self, path: str) -> float:
        return median(self.first_byte(path) for _ in range(TIMES))


def compare(pages: dict[str, tuple[Site, str, Site, str]], rounds: int) -> dict[str, dict[str, Any]]:
    """Return each page beside its empty one, in turn; a name says what is asked, the sites as whom."""
    contenders = {}
    for name, (full, path, empty, empty_path) in pages.items():
        contenders[name] = partial(full.usual, path)
        contenders[f"empty {name}"] = partial(empty.usual, empty_path)
    for warm in contenders.values():
        warm()
    seconds = in_turn(rounds, contenders)
    return {
        name: {
            "of_empty": ratio(seconds[name], seconds[f"empty {name}"]),
            "first_byte_ms": median(seconds[name]) * 1000,
            "empty_ms": median(seconds[f"empty {name}"]) * 1000,
        }
        for name in pages
    }


def pages_of(full: Site, empty: Site, reseller: Site, lonely: Site) -> dict[str, tuple[Site, str, Site, str]]:
    """Return what is measured, each with its empty page."""

    def of_customer(path: str) -> tuple[Site, str, Site, str]:
        return full, path, empty, path.partition("?")[0]

    def of_reseller(path: str) -> tuple[Site, str, Site, str]:
        return reseller, path, lonely, path.partition("?")[0]

    address = some_address()
    return {
        "mailboxes": of_customer("/mailboxes/"),
        "mailboxes, suspended": of_customer("/mailboxes/?status=suspended"),
        "mailboxes, newest first": of_customer("/mailboxes/?sort=newest"),
        "mailboxes, fullest first": of_customer("/mailboxes/?sort=fullest"),
        "mailboxes, page 1,000": of_customer(f"/mailboxes/?cursor={cursor_of_page(PAGE)}"),
        # As it is typed: a letter, a beginning, more of it than one address has, what stands in the midst of few.
        "mailboxes, search a": of_customer("/mailboxes/?q=a"),
        "mailboxes, search ann": of_customer("/mailboxes/?q=ann"),
        "mailboxes, search a whole address": of_customer(f"/mailboxes/?q={address}"),
        "mailboxes, search in the midst": of_customer(f"/mailboxes/?q={address.partition('@')[2][3:9]}"),
        "mailboxes, search what is not there": of_customer("/mailboxes/?q=zzzz"),
        "aliases": of_customer("/aliases/"),
        "aliases, search team1": of_customer("/aliases/?q=team1"),
        "aliases, search what is not there": of_customer("/aliases/?q=zzzz"),
        "domains": of_customer("/domains/"),
        "domains, search d12": of_customer("/domains/?q=d12"),
        "domains that need attention": of_customer("/domains/?state=attention"),
        "customers": of_reseller("/customers/"),
        "customers, suspended": of_reseller("/customers/?state=suspended"),
        "customers, search oak": of_reseller("/customers/?q=oak"),
        "customers, search what is not there": of_reseller("/customers/?q=zzzz"),
        "overview": of_customer("/"),
        "palette": of_customer("/search/?q=ann"),
        "palette of a reseller": of_reseller("/search/?q=oak"),
    }


def some_address() -> str:
    from mailboxes.models import Mailbox  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415

    with every_tenant("the bench searches"):
        return Mailbox.objects.filter(tenant_id=TENANT_ID).order_by("-pk").values_list("email", flat=True)[0]


def cursor_of_page(number: int) -> str:
    """Return where that page begins, or the last page where there are not so many."""
    from mailboxes.listing import BY_ADDRESS, mailbox_keys  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415
    from mailhost.web.paging import PAGE_SIZE, page_of  # noqa: PLC0415

    with every_tenant("the bench turns pages"):
        keys = mailbox_keys(of_tenant=TENANT_ID)
        before = min(PAGE_SIZE * (number - 1), keys.count() - 1)
        return page_of(keys, BY_ADDRESS, size=before).next


def sign_in(tenant_id: int) -> str:
    """Give that tenant an owner, who signs in; return the cookie."""
    from django.test import Client  # noqa: PLC0415

    from accounts.actors import system_actor  # noqa: PLC0415
    from accounts.operations import create_user  # noqa: PLC0415
    from mailhost.scope import every_tenant  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415

    email = f"owner{tenant_id}-{time.time_ns()}@bench.example"
    with every_tenant("the bench signs in"):
        tenant = Tenant.objects.get(pk=tenant_id)
        create_user(system_actor(tenant, "the bench"), tenant=tenant, email=email, role="owner", password=PASSWORD)
    client = Client(headers={"host": "127.0.0.1"})
    client.post("/sign-in/", {"email": email, "password": PASSWORD})
    return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())


def signed_in(port: int, *tenants: int) -> Iterator[Site]:
    return (Site(port, sign_in(tenant)) for tenant in tenants)


def main() -> None:
    import django  # noqa: PLC0415 - the settings of this process are chosen by its environment

    django.setup()
    with web_server() as port:
        sites = signed_in(port, TENANT_ID, EMPTY_ID, RESELLER_ID, LONELY_ID)
        print(json.dumps(compare(pages_of(*sites), int(sys.argv[1]))))


if __name__ == "__main__":
    main()
