"""The host name of a brand: which may be one, and what DNS must show of it."""

import ipaddress
import re
from enum import Enum

import idna
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mailhost.errors import Refused
from tenants.brands import panel_host, pointing
from tenants.models import Brand

# By name, because dns/ stands above this app: (name, record type) → dns.answers.Answer.
LOOK_UP = "dns.lookup.look_up"
HOST = re.compile(r"(?=.{4,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?=[a-z0-9-]*[a-z])(?!-)[a-z0-9-]{2,63}(?<!-)")


class HostProof(Enum):
    STANDS = "stands"
    LACKING = "lacking"
    # DNS gave no answer: nothing follows from it.
    UNKNOWN = "unknown"


def look_for_host(brand: Brand) -> HostProof:
    """Say what DNS shows today of a host name that was proven."""
    try:
        refuse_without_proof(brand)
    except Refused as refused:
        return HostProof.UNKNOWN if refused.code == "dns_unavailable" else HostProof.LACKING
    return HostProof.STANDS


def normalise_host(text: str) -> str:
    """Return a host name as its A-labels in lower case. Raises Refused: invalid_host, own_host."""
    text = text.strip().rstrip(".").lower()
    try:
        host = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        host = ""
    if not HOST.fullmatch(host):
        raise Refused("invalid_host", "host_name", _("Enter a host name, such as panel.example.org."))
    own = {panel_host(), settings.MAILHOST_HOSTNAME, *settings.MAILHOST_OWN_NAMES, *settings.ALLOWED_HOSTS}
    if any(host == name or host.endswith(f".{name.lstrip('.')}") for name in own if name != "*"):
        raise Refused("own_host", "host_name", _("This is a name of the mail service itself. Use one of your own."))
    return host


def refuse_without_proof(brand: Brand) -> None:
    """Look in DNS for what makes a host name a brand's: its TXT record, and that it leads here.

    Raises Refused: dns_unavailable, no_proof, leads_elsewhere.
    """
    look_up, wanted = import_string(LOOK_UP), pointing(brand)
    proof = look_up(wanted.proof_name, "TXT")
    if proof.is_temporary:
        raise _unanswered(wanted.proof_name)
    if wanted.proof_value not in proof.values:
        told = {"name": wanted.proof_name, "value": wanted.proof_value}
        raise Refused("no_proof", "", _("There is no TXT record %(name)s with the value %(value)s yet.") % told)
    found = _addresses(look_up, wanted.host_name)
    ours = {wanted.panel_host}
    if not _is_address(wanted.panel_host):
        ours |= _addresses(look_up, wanted.panel_host)
    if not found & ours:
        told = {"host": wanted.host_name, "panel": wanted.panel_host}
        raise Refused("leads_elsewhere", "", _("%(host)s does not lead here yet. Point it to %(panel)s.") % told)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(look_up, host: str) -> set[str]:
    """Return the addresses of a host and the names it is an alias of. Raises Refused("dns_unavailable")."""
    answers = [look_up(host, record_type) for record_type in ("A", "AAAA")]
    if all(answer.is_temporary for answer in answers):
        raise _unanswered(host)
    return {value.rstrip(".") for answer in answers for value in (*answer.values, *answer.aliases)}


def _unanswered(name: str) -> Refused:
    return Refused(
        "dns_unavailable", "", _("DNS gave no answer for %(name)s. Try again in a few minutes.") % {"name": name}
    )
