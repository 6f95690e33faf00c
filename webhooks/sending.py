"""Sending to endpoints that customers name: which URLs are taken, and what came back."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from dns.guarded_http import Blocked, exchange, is_allowed, is_ours, literal_address
from mailhost.errors import Refused

TOTAL_SECONDS = 15
EXCERPT_BYTES = 500
MAX_URL = 1000
LOWEST_FREE_PORT = 1024


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
        raise _invalid(_("This is no URL.")) from None
    if len(url) > MAX_URL or not url.isascii() or any(sign <= " " or sign in "\\\x7f" for sign in url):
        raise _invalid(_("A URL has at most %(most)s ASCII characters and no blanks.") % {"most": MAX_URL})
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise _invalid(_("Enter a URL that begins with https://."))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _invalid(_("A URL with a user name, a password or a # is not sent to."))
    if port is not None and port != http.client.HTTPS_PORT and port < LOWEST_FREE_PORT:
        raise _invalid(_("Use port 443 or one from %(lowest)s on.") % {"lowest": LOWEST_FREE_PORT})
    literal = literal_address(parts.hostname)
    if literal is None and ("." not in parts.hostname or parts.hostname.rstrip(".").rpartition(".")[2].isdigit()):
        raise _invalid(_("Name the host in full, for example hooks.acme.example."))
    if literal is not None and not is_allowed(literal):
        raise _invalid(_("This address is in a network that is not sent to."))
    if parts.scheme == "http" and (literal is None or not is_ours(literal)):
        raise _invalid(_("Enter a URL that begins with https://."))
    return url


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body and return what came back, within 15 seconds; raises nothing for what is the other side's."""
    started = time.monotonic()
    try:
        parts = urlsplit(check_url(url))
        response = exchange("POST", parts, body=body, headers=headers, seconds=TOTAL_SECONDS, most_bytes=EXCERPT_BYTES)
        status, detail = response.status, _readable(response.body)
    except Blocked as blocked:
        status, detail = 0, str(blocked)
    except (OSError, http.client.HTTPException, Refused) as error:
        status, detail = 0, f"{type(error).__name__}: {error}"[:EXCERPT_BYTES]
    return Answer(status, detail, round((time.monotonic() - started) * 1000))


def _readable(excerpt: bytes) -> str:
    text = excerpt.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _invalid(sentence: str) -> Refused:
    return Refused("invalid_url", "url", sentence)
