"""The one speaker of HTTP to addresses that customers name. It reaches no network of ours.

What a name leads to is looked up once, judged, and that very address is connected to: a name that changes in between
leads nowhere else. Redirects are answers like others, and no proxy is asked.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult

from django.conf import settings
from django.utils.translation import gettext_noop as _

from dns.lookup import look_up_all
from dns.public_addresses import Address, is_in, is_public
from mailhost.said import Said


class Blocked(Exception):
    """The address is one that must not be reached, or there is none."""

    def __init__(self, said: Said) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True)
class Response:
    """What came back, its body cut at what the caller wanted to read."""

    status: int
    content_type: str
    body: bytes


def exchange(
    method: str, url: SplitResult, *, body: bytes = b"", headers: Mapping[str, str], seconds: float, most_bytes: int
) -> Response:
    """Ask once and read `most_bytes` at the most, within `seconds` from when the address is known. The URL is one that
    the caller has checked.

    Raises Blocked, OSError (certificates that are not good too) and http.client.HTTPException.
    """
    is_tls = url.scheme == "https"
    port = url.port or (http.client.HTTPS_PORT if is_tls else http.client.HTTP_PORT)
    address = address_of(url.hostname)
    ends = time.monotonic() + seconds
    connected = socket.create_connection((str(address), port), seconds)
    try:
        if is_tls:
            context = ssl.create_default_context()
            connected = context.wrap_socket(connected, server_hostname=url.hostname, do_handshake_on_connect=False)
        # Only the wrapped socket can be hung up: the plain one has given its descriptor away.
        with hung_up_after(ends - time.monotonic(), connected):
            if is_tls:
                connected.do_handshake()
            connection = http.client.HTTPConnection(url.hostname, port)
            connection.sock = connected
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request(method, target, body or None, {**headers, "Connection": "close"})
            response = connection.getresponse()
            return Response(response.status, response.getheader("Content-Type", ""), response.read(most_bytes))
    finally:
        connected.close()


@contextmanager
def hung_up_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Hang up after so long: a peer that sends a byte now and then would hold a worker for hours, whatever the timeout
    of each read. Raises TimeoutError where what was read was cut so, which may look whole."""
    # Of its own: the timer's is set when all is done, and whoever reads may be through before.
    is_over = threading.Event()
    watch = threading.Timer(max(seconds, 0), _hang_up, [connected, is_over])
    watch.start()
    try:
        yield
        if is_over.is_set():
            raise TimeoutError
    finally:
        watch.cancel()


def address_of(host: str) -> Address:
    """Return the address to connect to. Raises Blocked."""
    literal = literal_address(host)
    found = [literal] if literal is not None else looked_up(host)
    allowed = [address for address in found if is_allowed(address)]
    if not found:
        raise Blocked(Said(_("%(host)s leads to no address."), host=host))
    if len(allowed) < len(found):
        raise Blocked(Said(_("%(host)s leads to a network that is not sent to."), host=host))
    return allowed[0]


def looked_up(host: str) -> list[Address]:
    name = host.rstrip(".")
    answers = look_up_all([(name, "A"), (name, "AAAA")])
    return [ipaddress.ip_address(value) for answer in answers.values() for value in answer.values]


def literal_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_allowed(address: Address) -> bool:
    """Whether strangers' names may lead there: a public address, or one in MAILHOST_WEBHOOK_NETWORKS."""
    return is_public(address, allowed=settings.MAILHOST_WEBHOOK_NETWORKS)


def is_ours(address: Address) -> bool:
    return is_in(address, settings.MAILHOST_WEBHOOK_NETWORKS)


def _hang_up(connected: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    try:
        # Not SSLSocket's own shutdown(), which takes its TLS away from under the thread that reads.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself meanwhile.
        return
