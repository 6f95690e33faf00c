"""BIMI: a domain's logo beside its mail. What its record says, and which addresses it may name, as plain rules."""

from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_noop as _

from mailhost.said import NOTHING, Said

SELECTOR = "default"
MAX_URL = 400
# Who shows logos does so only for mail that would be held back if it were forged.
ENFORCING = frozenset({"quarantine", "reject"})


def name(domain_name: str) -> str:
    return f"{SELECTOR}._bimi.{domain_name}"


def value(logo_url: str, certificate_url: str = "") -> str:
    """Return the record that names a logo and, where there is one, the certificate that vouches for it."""
    return f"v=BIMI1; l={logo_url}" + (f"; a={certificate_url}" if certificate_url else "")


def unfit(url: str) -> Said:
    """Return why an address cannot stand in the record, or ""."""
    if len(url) > MAX_URL:
        return Said(_("The address is too long: %(most)s characters at the most."), most=MAX_URL)
    if not (url.isascii() and url.isprintable()) or any(sign in url for sign in ' "\\;,<>'):
        return Said(_("Blanks, quotes, commas, semicolons and letters beyond ASCII must be escaped in the address."))
    parts = _split(url)
    if parts is None:
        return Said(_("This is not an address of the web."))
    if parts.scheme != "https":
        return Said(_("The address must begin with https://: receivers fetch it in no other way."))
    if "." not in (parts.hostname or "") or parts.username is not None or parts.fragment:
        return Said(_("Name a host and a path, without a sign-in and without anything after #."))
    return NOTHING


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # A port that is none raises when it is read.
        has_port = parts.port is not None
    except ValueError:
        return None
    return parts if parts.port or not has_port else None
