"""What an address is: one stored form for each, and nothing that a mail daemon could take for something else."""

import re

from domains.names import display_name, normalise_domain, shown
from mailhost.errors import Refused
from mailhost.fields import UID_LENGTH
from mailhost.said import gettext as _

# RFC 5321, 4.5.3.1: 64 octets of local part, 254 of address (256 of path with its brackets).
MAX_LOCAL = 64
MAX_ADDRESS = 254
# What Postfix and Dovecot take as the start of the detail in user+detail@domain.
DELIMITER = "+"
# How mail for a mailbox with a former namesake waits in Postfix's queue: anna=mailbox-<uid>@domain. No address of ours
# has a "=".
SUCCESSOR = "=mailbox-"
MAX_QUEUED = MAX_ADDRESS + len(SUCCESSOR) + UID_LENGTH

# Every sign here is one that Dovecot lets sign in by default (auth_username_chars).
OWN_LOCAL = re.compile(r"[a-z0-9_][a-z0-9._-]*")
# Addresses elsewhere may have more; never what a shell, a map or a header reads as a command.
TARGET_LOCAL = re.compile(r"[a-z0-9_][a-z0-9._+=&'~#-]*")


def normalise_address(text: str, *, field: str = "address") -> str:
    """Return the stored form of a mailbox's address. Raises Refused("invalid_address", field, …)."""
    local, domain = _parts(text, field)
    return _joined(_own_local(local, field), normalise_domain(domain, field=field), field)


def normalise_source(text: str, *, field: str = "source") -> str:
    """Return the stored form of an alias's source; a catch-all, written "*@domain" or "@domain", is "@domain"."""
    local, domain = _parts(text, field, is_catch_all_allowed=True)
    if local in {"", "*"}:
        return "@" + normalise_domain(domain, field=field)
    return _joined(_own_local(local, field), normalise_domain(domain, field=field), field)


def normalise_target(text: str, *, field: str = "targets") -> str:
    """Return the stored form of an alias's target: one addr-spec under a name that can get mail."""
    local, domain = _parts(text, field)
    return _joined(_local(local, TARGET_LOCAL, field), normalise_domain(domain, field=field), field)


def base_address(address: str) -> str:
    """Return the address without its detail: sales+news@acme.example is read by sales@acme.example."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition(DELIMITER)[0]}@{domain}"


def queue_address(address: str, uid: str) -> str:
    """Return under which address mail for this one mailbox is queued, whoever has its address later."""
    return f"{local_of(address)}{SUCCESSOR}{uid}@{domain_of(address)}"


def unqueued_address(queued: str) -> str:
    """Return the address that people write, of one that Postfix may have queued mail under."""
    local, mark, rest = local_of(queued).partition(SUCCESSOR)
    detail = DELIMITER + rest.partition(DELIMITER)[2] if mark and DELIMITER in rest else ""
    return f"{local}{detail}@{domain_of(queued)}"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def local_of(address: str) -> str:
    """Return what stands before the "@": nothing for a catch-all."""
    return address.rpartition("@")[0]


def display_address(address: str) -> str:
    """Return the form people read: a domain's U-label, a catch-all with its star."""
    return f"{local_of(address) or '*'}@{display_name(domain_of(address))}"


def _parts(text: str, field: str, *, is_catch_all_allowed: bool = False) -> tuple[str, str]:
    # No address that fits has more characters than octets, so nothing long is looked at closely.
    if len(text) > MAX_ADDRESS + 1:
        raise _refusal(field, _("An address has at most %(most)s characters.") % {"most": MAX_ADDRESS})
    local, at, domain = text.rpartition("@")
    if not at:
        message = _("“%(text)s” has no domain. Enter the whole address, for example anna@acme.example.")
        raise _refusal(field, message % {"text": shown(text)})
    if not local and not is_catch_all_allowed:
        raise _refusal(field, _("“%(text)s” has nothing before the @.") % {"text": shown(text)})
    return local, domain


def _own_local(local: str, field: str) -> str:
    if DELIMITER in local:
        message = _("“%(local)s” has a +. What follows a + is a detail, and the address is %(base)s.")
        raise _refusal(field, message % {"local": shown(local), "base": shown(local.partition(DELIMITER)[0])})
    return _local(local, OWN_LOCAL, field)


def _local(local: str, pattern: re.Pattern[str], field: str) -> str:
    if not local.isascii():
        message = _("“%(local)s” has letters beyond a–z. Many servers refuse such addresses; use plain letters.")
        raise _refusal(field, message % {"local": shown(local)})
    local = local.lower()
    if local.startswith('"'):
        message = _("Quoted addresses are not supported. Use letters, digits, dots, dashes, underscores.")
        raise _refusal(field, message)
    if len(local) > MAX_LOCAL:
        raise _refusal(field, _("The part before the @ has at most %(most)s characters.") % {"most": MAX_LOCAL})
    if not pattern.fullmatch(local):
        raise _refusal(field, _fault(local, pattern))
    if ".." in local or local.endswith("."):
        message = _("“%(local)s” cannot stand before the @: a dot stands between two other signs.")
        raise _refusal(field, message % {"local": shown(local)})
    return local


def _fault(local: str, pattern: re.Pattern[str]) -> str:
    wrong = next((sign for sign in local if not pattern.fullmatch("a" + sign)), None)
    if wrong is None:
        message = _("“%(local)s” cannot stand before the @: it begins with a letter, a digit or an underscore.")
        return message % {"local": shown(local)}
    message = _("“%(local)s” cannot stand before the @: “%(wrong)s” is not allowed in it.")
    return message % {"local": shown(local), "wrong": shown(wrong)}


def _joined(local: str, domain: str, field: str) -> str:
    address = f"{local}@{domain}"
    if len(address) > MAX_ADDRESS:
        raise _refusal(field, _("An address has at most %(most)s characters.") % {"most": MAX_ADDRESS})
    return address


def _refusal(field: str, message: str) -> Refused:
    return Refused("invalid_address", field, message)
