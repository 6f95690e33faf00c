"""Where webhooks never go, whatever a customer, a name server or an answer says."""

import ipaddress
import secrets
import socket
import threading

import pytest

from dns import guarded_http
from dns.guarded_http import is_allowed
from mailhost.errors import Refused
from stack.publish import Published, publish
from webhooks import sending
from webhooks.sending import check_url, post

INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_inside_addresses_are_not_told(address):
    assert not is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are(address):
    assert is_allowed(ipaddress.ip_address(address))


def test_the_operator_may_allow_a_network(settings):
    settings.MAILHOST_WEBHOOK_NETWORKS = ["10.1.0.0/16", "fd00::/8"]

    assert [is_allowed(ipaddress.ip_address(one)) for one in ("10.1.2.3", "10.2.0.1", "fd00::1", "fe80::1")] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.acme.example",
        "ftp://hooks.acme.example/",
        "file:///etc/passwd",
        "gopher://hooks.acme.example/",
        "http://hooks.acme.example/",
        "https://",
        "https:///path",
        "https://user@hooks.acme.example/",
        "https://user:secret@hooks.acme.example/",
        "https://hooks.acme.example/#part",
        "https://hooks.acme.example:25/",
        "https://hooks.acme.example:0/",
        "https://hooks.acme.example:99999/",
        "https://hooks.acme.example/a b",
        "https://hooks.acme.example/\r\nX-More: 1",
        "https://hooks.acme.example\\@127.0.0.1/",
        "https://hööks.acme.example/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        f"https://hooks.acme.example/{'x' * 1000}",
        *(f"https://{f'[{one}]' if ':' in one else one}/" for one in INSIDE),
    ],
)
def test_such_a_url_is_refused_when_it_is_named(url):
    with pytest.raises(Refused) as refused:
        check_url(url)

    assert (refused.value.code, refused.value.field) == ("invalid_url", "url")


@pytest.mark.parametrize(
    "url", ["https://hooks.acme.example/in?of=1", "https://hooks.acme.example:8443", "https://1.1.1.1/x"]
)
def test_such_a_url_is_taken(url):
    assert check_url(url) == url


@pytest.fixture
def sentinel():
    """A listener on loopback that must see nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        yield server


def seen(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "records", [[("A", "127.0.0.1")], [("AAAA", "::1")], [("A", "1.1.1.1"), ("A", "127.0.0.1")], []], ids=str
)
def test_a_name_that_leads_inside_is_never_connected_to(stack, settings, sentinel, records):
    settings.MAILHOST_NAMESERVERS = [f"127.0.0.1@{stack.port('dns')}"]
    name = f"hook-{secrets.token_hex(4)}.example"
    publish(stack.info["dns"], [Published(f"{name}.", kind, value) for kind, value in records])

    answer = post(f"https://{name}:{sentinel.getsockname()[1]}/", b"{}", {})

    assert (answer.status, "leads to" in answer.detail) == (0, True)
    assert not seen(sentinel)


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(settings, sentinel, monkeypatch):
    """A name server that answers once something public and then something inside finds nobody who asks again."""
    settings.MAILHOST_WEBHOOK_NETWORKS = []
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    monkeypatch.setattr(guarded_http, "looked_up", lambda host: [ipaddress.ip_address(one) for one in next(answers)])
    connected = []

    def refuse(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    post(f"https://hooks.acme.example:{sentinel.getsockname()[1]}/", b"{}", {})

    assert [host for host, _ in connected] == ["1.1.1.1"]


def test_a_peer_that_drips_is_hung_up_on(settings, monkeypatch):
    settings.MAILHOST_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 1)
    stop = threading.Event()

    def drip(server: socket.socket) -> None:
        peer, _ = server.accept()
        with peer:
            while not stop.is_set():
                try:
                    peer.send(b"H")
                except OSError:
                    return
                stop.wait(0.2)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=[server], daemon=True).start()
        answer = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        stop.set()

    assert answer.status == 0
    assert 900 <= answer.milliseconds < 10_000
