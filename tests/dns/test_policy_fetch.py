"""MTA-STS policies are fetched as senders fetch them: over verified TLS, without redirects, within bounds."""

import http.server
import secrets
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dns.guarded_http import hung_up_after
from dns.models import Status
from dns.mta_sts import policy, policy_id
from dns.observation import judge_policy
from dns.policy_fetch import SECONDS, fetch_policy, read_policy
from dns.records import ExpectedRecord
from dns.tools import look

# Port 443 of an address of loopback that is this test's own.
ADDRESS = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 2}"
GOOD = policy("enforce", "mail.mailhost.example")


@dataclass
class PolicyHost:
    body: bytes = GOOD.encode()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain; charset=utf-8"})
    silent_for: float = 0
    drips: bool = False


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    made = {name: str(folder / f"{name}.pem") for name in ("key", "cert")}
    names = "subjectAltName=DNS:mta-sts.acme.example"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    command += ["-days", "2", "-subj", "/CN=acme", "-addext", names, "-keyout", made["key"], "-out", made["cert"]]
    subprocess.run(command, check=True, capture_output=True)
    return made


def drip(connection: ssl.SSLSocket) -> None:
    """Send a sign now and then of a header that never ends, for as long as somebody listens, or 20 seconds."""
    try:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.2)
    except OSError:
        return


@pytest.fixture
def host(certificate, dns_server, settings, monkeypatch) -> Iterator[PolicyHost]:
    served = PolicyHost()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(served.silent_for)
            if served.silent_for:
                return
            if served.drips:
                drip(self.connection)
                return
            self.send_response(served.status)
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(served.body if self.path == "/.well-known/mta-sts.txt" else b"elsewhere")

        def log_message(self, *_arguments):
            """Nothing: the test says what was wrong."""

    server = http.server.ThreadingHTTPServer((ADDRESS, 443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate["cert"], certificate["key"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", certificate["cert"])
    settings.MAILHOST_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    for name in ("acme", "bolt"):
        dns_server.says(f"mta-sts.{name}.example", "A", ADDRESS)
    yield served
    server.shutdown()
    server.server_close()


def test_a_good_policy_is_read(host):
    found = fetch_policy("acme.example")

    assert (found.problem, found.mode, found.mx) == ("", "enforce", ("mail.mailhost.example",))
    assert found.text == GOOD


@pytest.mark.parametrize(
    ("changes", "said", "is_temporary"),
    [
        ({"status": 404}, "answers 404", False),
        ({"status": 503}, "answers 503", True),
        ({"status": 301, "headers": {"Location": "https://mta-sts.acme.example/other"}}, "answers 301", False),
        ({"headers": {"Content-Type": "text/html"}}, "text/plain", False),
        ({"body": b"a" * 70_000}, "64 KB", False),
        ({"body": b"version: STSv2\r\n"}, "version", False),
        ({"body": "vérsion".encode()}, "ASCII", False),
        ({"body": b"version: STSv1\nmode: strict\n"}, "mode", False),
        ({"body": b"version: STSv1\nmode: enforce\nmax_age: 99\n"}, "names no mx", False),
        ({"body": b"version: STSv1\nmode: enforce\nmx: a\nmax_age: 9999999999999999\n"}, "max_age", False),
        ({"body": b"version: STSv1\nmode: enforce\nmx: a\nmax_age: %s\n" % (b"0" * 5000)}, "max_age", False),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(host, changes, said, is_temporary):
    for name, value in changes.items():
        setattr(host, name, value)

    found = fetch_policy("acme.example")

    assert said in found.problem
    assert found.is_temporary == is_temporary


def test_a_certificate_of_another_name_is_no_policy(host):
    found = fetch_policy("bolt.example")

    assert "certificate of mta-sts.bolt.example is not good" in found.problem
    assert not found.is_temporary


def test_a_silent_host_costs_four_seconds(host):
    host.silent_for = 6
    begun = time.monotonic()

    found = fetch_policy("acme.example")

    assert found.is_temporary
    assert time.monotonic() - begun < SECONDS + 1.5


def test_a_host_that_answers_drop_by_drop_costs_no_more(host):
    host.drips = True
    begun = time.monotonic()

    found = fetch_policy("acme.example")

    assert found.is_temporary
    assert time.monotonic() - begun < SECONDS + 1.5


def test_what_was_cut_is_never_taken_for_whole(monkeypatch):
    ours, theirs = socket.socketpair()
    is_through, shut = threading.Event(), socket.socket.shutdown

    def shut_and_linger(*arguments) -> None:
        shut(*arguments)
        is_through.wait(5)

    monkeypatch.setattr(socket.socket, "shutdown", shut_and_linger)
    with ours, theirs:
        try:
            with pytest.raises(TimeoutError), hung_up_after(0.01, ours):
                ours.recv(1)
        finally:
            is_through.set()


def test_a_policy_host_within_our_networks_is_not_asked(host, settings):
    settings.MAILHOST_WEBHOOK_NETWORKS = []

    assert "not sent to" in fetch_policy("acme.example").problem


def test_the_policy_must_be_the_one_whose_id_the_record_bears(host):
    right, other = (
        ExpectedRecord("mta_sts", "TXT", "_mta-sts.acme.example", f"v=STSv1; id={policy_id(text)}", "optional")
        for text in (GOOD, policy("testing", "mail.mailhost.example"))
    )

    assert judge_policy(right, fetch_policy("acme.example")).status == Status.OK
    assert judge_policy(other, fetch_policy("acme.example")).status == Status.MISMATCH
    host.status = 503
    assert judge_policy(right, fetch_policy("acme.example")).status == Status.TEMPORARY_FAILURE


def test_the_tool_shows_record_and_policy(host, dns_server):
    dns_server.says_text("_mta-sts.acme.example", "v=STSv1; id=1")

    found = look("mta-sts", "acme.example")

    assert (found["record"], found["mode"], found["problems"]) == ("v=STSv1; id=1", "enforce", [])


def test_none_needs_no_mx():
    assert read_policy(policy("none", "mail.mailhost.example").encode()).problem == ""
