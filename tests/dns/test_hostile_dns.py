"""A zone whose owner means harm costs a check five seconds at most and bounded memory, and shows harmlessly."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from dns import tasks
from dns.lookup import MAX_VALUES, look_up
from dns.models import DnsRecord, Status
from dns.observation import Subject, observe
from dns.records import ExpectedRecord
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.apiside import Caller, make_key
from tests.dns.scripted_dns import ScriptedDns
from tests.routes.cast import a_member
from tests.webside import plain_static, signed_in  # noqa: F401  a fixture

MARKUP = '<script>alert(1)</script><img src=x onerror="x">\x1b[2J\u202e'
SECONDS = 5
MOST_MEMORY = 64 * 1024 * 1024


@pytest.fixture
def domain(acme, verified, dns_server):
    domain = verified(acme, "evil.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    return domain


def names_of(domain) -> set[str]:
    with every_tenant("a test looks"):
        return set(DnsRecord.objects.filter(domain=domain).values_list("name", flat=True))


def ten_megabytes(server: ScriptedDns, names: set[str]) -> None:
    """Every name that is asked for, and what follows from it, answers 60 KB of text."""
    for name in names:
        server.says_text(name, *[f"v=spf1 {number:04} " + "z" * 240 for number in range(230)])


def a_thousand_records(server: ScriptedDns, names: set[str]) -> None:
    for name in names:
        server.says_text(name, *[f"mailhost-verification={number}" for number in range(1000)])
        server.says(name, "MX", *[f"{number} m{number}.evil.example." for number in range(1000)])


def a_circle(server: ScriptedDns, names: set[str]) -> None:
    for name in names:
        server.says(name, "CNAME", f"a.{name}")
        server.says(f"a.{name}", "CNAME", name)


def silence(server: ScriptedDns, names: set[str]) -> None:
    for name in names:
        server.is_silent(name)


# Where much is read, this process' own server works as hard as the check: processor time, which other work on the
# machine does not lengthen.
@pytest.mark.parametrize(
    ("script", "clock"),
    [
        (ten_megabytes, time.process_time),
        (a_thousand_records, time.process_time),
        (a_circle, time.process_time),
        (silence, time.monotonic),
    ],
)
def test_a_check_of_a_whole_domain_is_bounded(domain, dns_server, script, clock):
    script(dns_server, names_of(domain))
    tracemalloc.start()
    begun = clock()

    tasks.check_records(domain.pk)

    seconds, (_, peak) = clock() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS + 2, "five seconds to ask, two for what is written down"
    assert peak < MOST_MEMORY
    with every_tenant("a test looks"):
        rows = list(DnsRecord.objects.filter(domain=domain))
    assert all(len(row.found) <= MAX_VALUES and len(row.problem) <= 500 for row in rows)
    assert not any(row.status == "ok" for row in rows)


def test_a_domain_that_breaks_the_check_keeps_no_other_from_its_own(dns_server):
    dns_server.says("acme.example", "MX", "10 mail.mailhost.example.")
    names = ["evil." + "a" * 64, "acme.example"]
    subjects = [
        Subject(name, [ExpectedRecord("mx", "MX", name, "mail.mailhost.example", "required", 10)], {}) for name in names
    ]

    [evil], [acme] = observe(subjects)

    assert (evil.verdict.status, acme.verdict.status) == (Status.TEMPORARY_FAILURE, Status.OK)


@pytest.fixture
def dripping(settings) -> Iterator[str]:
    """A server that says over UDP "too long, ask by TCP", and there a byte now and then of an answer of 64 KB."""
    stop = threading.Event()
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())

    def truncated() -> None:
        while not stop.is_set():
            packet, peer = udp.recvfrom(2000)
            udp.sendto(packet[:2] + b"\x87\x80" + packet[4:], peer)

    def drip() -> None:
        while not stop.is_set():
            connection, _ = tcp.accept()
            threading.Thread(target=drop, args=[connection], daemon=True).start()

    def drop(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"\xff\xff")
                while not stop.wait(0.2):
                    connection.sendall(b"\x00")
            except OSError:
                return

    for work in (truncated, drip):
        threading.Thread(target=work, daemon=True).start()
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{tcp.getsockname()[1]}"]
    yield "dripping"
    stop.set()
    udp.close()
    tcp.close()


def test_an_answer_that_comes_drop_by_drop_is_given_up(dripping):
    begun = time.monotonic()

    answer = look_up("evil.example", "TXT")

    assert answer.is_temporary
    assert time.monotonic() - begun < SECONDS


def test_markup_and_control_characters_show_harmlessly(domain, dns_server, acme, plain_static):  # noqa: F811
    for name in names_of(domain):
        dns_server.says_text(name, MARKUP)
    tasks.check_records(domain.pk)
    owner = signed_in(a_member(acme, Role.OWNER).user)

    pages = [
        owner.get(f"/domains/{domain.uid}/"),
        owner.get(f"/domains/{domain.uid}/history/"),
        owner.get("/dns/look-up/", {"kind": "spf", "name": "evil.example"}),
        Caller(make_key(acme)).call("GET", "/domains/evil.example/records"),
    ]

    assert [page.status_code for page in pages] == [200] * 4
    for page in pages:
        text = page.content.decode()
        assert not {"\x1b", "\u202e"} & set(text)
        assert "<script>alert" not in text or page.headers["Content-Type"] == "application/json"
    assert "&lt;script&gt;" in pages[0].content.decode()
