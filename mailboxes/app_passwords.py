"""The form of an app password: `app-<selector>-<secret>`, e.g. app-7kq2m9xv-h3wd8c-….

The selector is public: by it Dovecot finds the one row, however many a mailbox has, and of the password nothing else
reaches the database. It has 50 bits, so that two of millions are never the same. The secret has 120, so a fast digest
is enough and a sign-in costs no slow hash.
"""

import base64
import hashlib
import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from mailhost.errors import Refused
from mailhost.fields import ALPHABET

BRAND = "app"
SELECTOR_LENGTH = 10
GROUPS, GROUP_LENGTH = 4, 6
# POSIX extended, as Dovecot reads it: what may stand in SQL without being escaped, and nothing else.
FORM = f"^{BRAND}-[0-9a-z]{{{SELECTOR_LENGTH}}}(-[0-9a-z]{{{GROUP_LENGTH}}}){{{GROUPS}}}$"
# Where the selector stands in it.
SELECTOR_OFFSET = len(BRAND) + 1

PROTOCOLS = ("imap", "pop3", "smtp")
MAX_NETWORKS = 20
MAX_NETWORKS_TEXT = 1000


@dataclass(frozen=True)
class MintedPassword:
    """A new app password: its selector, the digest to store, and the text to show once."""

    selector: str
    digest: str
    text: str

    def __repr__(self) -> str:
        return f"MintedPassword({BRAND}-{self.selector}-…)"


def mint() -> MintedPassword:
    """Make an app password of 120 random bits; its digest is one that Dovecot verifies."""
    selector = _random(SELECTOR_LENGTH)
    text = "-".join([BRAND, selector, *(_random(GROUP_LENGTH) for _ in range(GROUPS))])
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return MintedPassword(selector, f"{{SHA256}}{digest}", text)


def has_form(password: str) -> bool:
    """Whether Dovecot takes this for an app password."""
    return re.match(FORM, password) is not None


def check_protocols(protocols: Sequence[str]) -> frozenset[str]:
    """Return the protocols, each once. Raises Refused("invalid_protocols")."""
    chosen = frozenset(protocols)
    if not chosen or not chosen <= set(PROTOCOLS):
        raise Refused(
            "invalid_protocols",
            "protocols",
            gettext("Choose at least one of %(names)s.") % {"names": ", ".join(PROTOCOLS)},
        )
    return chosen


def normalise_networks(networks: Sequence[str]) -> str | None:
    """Return addresses and networks (RFC 4632, RFC 4291) as Dovecot's `allow_nets` takes them; None when there are
    none, and every place may sign in. Raises Refused("invalid_networks")."""
    shown: dict[str, None] = {}
    for text in networks:
        try:
            shown[str(ipaddress.ip_network(text.strip()))] = None
        except ValueError:
            raise Refused(
                "invalid_networks",
                "networks",
                gettext("“%(text)s” is no address and no network. Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.")
                % {"text": text[:60]},
            ) from None
    joined = ",".join(shown)
    if len(shown) > MAX_NETWORKS or len(joined) > MAX_NETWORKS_TEXT:
        raise Refused(
            "invalid_networks",
            "networks",
            gettext("An app password has at most %(max_networks)s networks.") % {"max_networks": MAX_NETWORKS},
        )
    return joined or None


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
