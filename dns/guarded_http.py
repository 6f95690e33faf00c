"""The one speaker of HTTP to addresses that customers name. It reaches no network of ours.

What a name leads to is looked up once, judged, and that very address is connected to: a name that changes in between
leads nowhere else. Redirects are answers like others, and no proxy is asked.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult

from django.conf import settings
from django.utils.translation import gettext_noop as _

from dns.lookup import look_up
from mailhost.said import Said

# Global by the registries' word, but they lead to IPv4 addresses that may be anything: NAT64, 6to4, Teredo.
TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
    """Ask once, within `seconds` in all, and read `most_bytes` at the most. The URL is one that the caller has checked.

    Raises Blocked, OSError (certificates that are not good too) and http.client.HTTPException.
    """
    is_tls = url.scheme == "https"
    port = url.port or (http.client.HTTPS_PORT if is_tls else http.client.HTTP_PORT)
    connected = socket.create_connection((str(address_of(url.hostname)), port), seconds)
    # A peer that sends a byte now and then would hold a worker for hours, whatever the timeout of each read.
    watch = threading.Timer(seconds, _hang_up, [connected])
    watch.start()
    try:
        if is_tls:
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)
        connection = http.client.HTTPConnection(url.hostname, port)
        connection.sock = connected
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request(method, target, body or None, {**headers, "Connection": "close"})
        response = connection.getresponse()
        return Response(response.status, response.getheader("Content-Type", ""), response.read(most_bytes))
    finally:
        watch.cancel()
        connected.close()


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
    return [ipaddress.ip_address(value) for kind in ("A", "AAAA") for value in look_up(name, kind).values]


def literal_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_allowed(address: Address) -> bool:
    """Whether strangers' names may lead there: a public address, or one in MAILHOST_WEBHOOK_NETWORKS."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_allowed(mapped)
    if is_ours(address):
        return True
    is_translated = any(address.version == network.version and address in network for network in TRANSLATED)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_translated


def is_ours(address: Address) -> bool:
    networks = map(ipaddress.ip_network, settings.MAILHOST_WEBHOOK_NETWORKS)
    return any(address.version == network.version and address in network for network in networks)


def _hang_up(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself meanwhile.
        return
