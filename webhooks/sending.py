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
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from dns.lookup import look_up
from mailhost.errors import Refused

TOTAL_SECONDS = 15
EXCERPT_BYTES = 500
MAX_URL = 1000
LOWEST_FREE_PORT = 1024
# Global by the registries' word, but they lead to IPv4 addresses that may be anything: NAT64, 6to4, Teredo.
TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Blocked(Exception):
    """The address is one that must not be reached, or there is none."""


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is 0 when nothing did, and `detail` says why."""

    status: int
    detail: str
    milliseconds: int

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def check_url(url: str) -> str:
    """Return the URL of an endpoint. Raises Refused("invalid_url") for what is never sent to; what its name leads to is
    judged at each sending."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("This is no URL.") from None
    if len(url) > MAX_URL or not url.isascii() or any(sign <= " " or sign in "\\\x7f" for sign in url):
        raise _invalid(f"A URL has at most {MAX_URL} ASCII characters and no blanks.")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise _invalid("Enter a URL that begins with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _invalid("A URL with a user name, a password or a # is not sent to.")
    if port is not None and port != http.client.HTTPS_PORT and port < LOWEST_FREE_PORT:
        raise _invalid(f"Use port 443 or one from {LOWEST_FREE_PORT} on.")
    literal = _literal(parts.hostname)
    if literal is None and ("." not in parts.hostname or parts.hostname.rstrip(".").rpartition(".")[2].isdigit()):
        raise _invalid("Name the host in full, for example hooks.acme.example.")
    if literal is not None and not is_allowed(literal):
        raise _invalid("This address is in a network that is not sent to.")
    if parts.scheme == "http" and (literal is None or not _is_ours(literal)):
        raise _invalid("Enter a URL that begins with https://.")
    return url


def is_allowed(address: Address) -> bool:
    """Whether customers' messages may go there: a public address, or one in MAILHOST_WEBHOOK_NETWORKS."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_allowed(mapped)
    if _is_ours(address):
        return True
    is_translated = any(address.version == network.version and address in network for network in TRANSLATED)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_translated


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body and return what came back, within 15 seconds; raises nothing for what is the other side's."""
    started = time.monotonic()
    try:
        status, detail = _post(url, body, headers)
    except Blocked as blocked:
        status, detail = 0, str(blocked)
    except (OSError, http.client.HTTPException, Refused) as error:
        status, detail = 0, f"{type(error).__name__}: {error}"[:EXCERPT_BYTES]
    return Answer(status, detail, round((time.monotonic() - started) * 1000))


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    parts = urlsplit(check_url(url))
    is_tls = parts.scheme == "https"
    port = parts.port or (http.client.HTTPS_PORT if is_tls else http.client.HTTP_PORT)
    connected = socket.create_connection((str(_address_of(parts.hostname)), port), TOTAL_SECONDS)
    # A peer that sends a byte now and then would hold a worker for hours, whatever the timeout of each read.
    watch = threading.Timer(TOTAL_SECONDS, _hang_up, [connected])
    watch.start()
    try:
        if is_tls:
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=parts.hostname)
        connection = http.client.HTTPConnection(parts.hostname, port)
        connection.sock = connected
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        return response.status, _readable(response.read(EXCERPT_BYTES))
    finally:
        watch.cancel()
        connected.close()


def _hang_up(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It has ended by itself meanwhile.
        return


def _address_of(host: str) -> Address:
    """Return the address to connect to. Raises Blocked."""
    literal = _literal(host)
    found = [literal] if literal is not None else _looked_up(host)
    allowed = [address for address in found if is_allowed(address)]
    if not found:
        raise Blocked(f"{host} leads to no address.")
    if len(allowed) < len(found):
        raise Blocked(f"{host} leads to a network that is not sent to.")
    return allowed[0]


def _looked_up(host: str) -> list[Address]:
    name = host.rstrip(".")
    return [ipaddress.ip_address(value) for kind in ("A", "AAAA") for value in look_up(name, kind).values]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_ours(address: Address) -> bool:
    networks = map(ipaddress.ip_network, settings.MAILHOST_WEBHOOK_NETWORKS)
    return any(address.version == network.version and address in network for network in networks)


def _readable(excerpt: bytes) -> str:
    text = excerpt.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _invalid(sentence: str) -> Refused:
    return Refused("invalid_url", "url", sentence)
