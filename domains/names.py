"""What a domain name is: one stored form (A-label, lower case, no trailing dot) for each name."""

import ipaddress
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from mailhost.errors import Refused
from mailhost.said import gettext as _

# RFC 1035, 3.1: 255 octets on the wire are 253 characters. The records of a domain stand below its name, and the
# longest is that of a signing key: a name that leaves no room for it could never send.
MAX_NAME = 253
MAX_OWNED_NAME = MAX_NAME - len("mh202612" + 10 * "x" + "._domainkey.")
# Of so many names each process keeps how they are stored: finding out costs more than all else about an address.
MOST_NAMES = 10_000
# Names that no customer can own (RFC 6761 and its registry, RFC 9476, RFC 8375): mail for them never leaves a
# machine, or must never be asked of the DNS. `example` (RFC 2606) is not among them: the demo's domains live there.
SPECIAL_USE = frozenset({"alt", "arpa", "internal", "invalid", "local", "localdomain", "localhost", "onion", "test"})


def normalise_domain(text: str, *, field: str = "name") -> str:
    """Return the A-label form of a domain name that somebody can own (RFC 1035, RFC 5891 without UTS 46).

    One trailing dot and upper case are forgiven. Raises Refused("invalid_domain", field, …) with what is at fault.
    """
    known = _known(text) if len(text) <= MAX_NAME else None
    return known or _judged(text, field)


@lru_cache(MOST_NAMES)
def _known(text: str) -> str | None:
    """Return the stored form of a name, None of what is refused."""
    try:
        return _judged(text, "name")
    except Refused:
        return None


def _judged(text: str, field: str) -> str:
    name = normalise_host(text, field=field)
    if name.rpartition(".")[2] in SPECIAL_USE:
        raise _refusal(
            field, _("Names under .%(end)s are reserved and get no mail.") % {"end": name.rpartition(".")[2]}
        )
    if len(name) > MAX_OWNED_NAME:
        raise _refusal(
            field, _("A domain that gets mail here has at most %(most)s characters.") % {"most": MAX_OWNED_NAME}
        )
    if _suffixes().is_public(name):
        message = _("%(name)s is a public suffix: others register their names below it. Enter a name below.")
        raise _refusal(field, message % {"name": name})
    return name


def normalise_host(text: str, *, field: str = "name") -> str:
    """Return the A-label form of any fully qualified name, reserved and public ones too."""
    name = text.removesuffix(".")
    if not name:
        raise _refusal(field, _("Enter a domain name, for example acme.example."))
    # A first look that costs nothing: no name of more characters has an A-label form that fits.
    if len(name) > MAX_NAME:
        raise _refusal(field, _("A domain name has at most %(most)s characters.") % {"most": MAX_NAME})
    if _is_address(name):
        raise _refusal(field, _("%(name)s is an IP address. Enter a domain name.") % {"name": name})
    labels = name.split(".")
    if len(labels) < 2:
        message = _("%(name)s has no dot in it. Enter the whole name, for example acme.example.")
        raise _refusal(field, message % {"name": shown(name)})
    name = ".".join(_a_label(label, field) for label in labels)
    if len(name) > MAX_NAME:
        message = _("A domain name has at most %(most)s characters; in the DNS this one has more.")
        raise _refusal(field, message % {"most": MAX_NAME})
    # RFC 3696, 2: a top-level domain is not all digits, or the name would be taken for an address.
    if labels[-1].isdigit():
        raise _refusal(field, _("A domain name does not end in a number: %(end)s.") % {"end": labels[-1]})
    return name


def display_name(name: str) -> str:
    """Return the form people read: the U-label where there is one. What cannot be decoded is shown as it is stored."""
    if name.isascii() and "xn--" not in name and name == name.lower():
        # It has but one form; decoding would take as long as reading the row.
        return name
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def parents(name: str) -> list[str]:
    """Return the names above this one that somebody can own, nearest first."""
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    return [parent for parent in above if not _suffixes().is_public(parent)]


def is_below(name: str, above: str) -> bool:
    """Say whether a name lies below another one; none lies below itself."""
    return name.endswith(f".{above}")


def shown(text: str) -> str:
    """Return text from outside as it may stand in a sentence: shortened, with control characters made visible."""
    text = text if len(text) <= 80 else f"{text[:79]}…"
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def _a_label(label: str, field: str) -> str:
    if not label:
        message = _("A domain name has no empty part: two dots follow each other, or it begins with one.")
        raise _refusal(field, message)
    try:
        return idna.alabel(_lower(label)).decode("ascii")
    except idna.IDNAError as error:
        if "long" in str(error):
            message = _("“%(label)s” is no part of a domain name: it is longer than 63 characters.")
        elif "ormalization" in str(error):
            message = _(
                "“%(label)s” is no part of a domain name: its accents are written as signs of their own (not Unicode "
                "form C)."
            )
        else:
            message = _("“%(label)s” is no part of a domain name: it has a sign that no name may have.")
        raise _refusal(field, message % {"label": shown(label)}) from error


def _lower(label: str) -> str:
    """Lower-case as RFC 5895 maps it, but never a sign of another script to an ASCII letter: K (Kelvin) is not k."""
    return "".join(
        sign.lower() if sign.isascii() or (len(sign.lower()) == 1 and not sign.lower().isascii()) else sign
        for sign in label
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    # The list comes with the package; nothing is fetched.
    return PublicSuffixList()


def _refusal(field: str, message: str) -> Refused:
    return Refused("invalid_domain", field, message)


def name_in(text: str) -> str:
    """Return the domain name in what somebody has pasted: an address of a page or of a mailbox, or the name itself."""
    text = text.strip()
    if "://" in text:
        host = text.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
        text = host.rsplit("@", 1)[-1].split(":", 1)[0].removeprefix("www.")
    return text.rsplit("@", 1)[-1].strip().strip("<>").rstrip("/")
