"""Which address an originator header (From, Sender, Resent-From, Resent-Sender) names: exactly one, or none at all.

Stricter than RFC 5322 on purpose. A header is taken only in the four forms that every parser reads alike:

    anna@acme.example
    <anna@acme.example>
    Anna "of" Acme <anna@acme.example>
    anna@acme.example (Anna)

Whatever else is allowed there (lists, groups, routes, quoted local parts, domain literals, comments elsewhere) is
refused, because the signer, the recipient's server and the recipient's eye may each see another author in it.
"""

import base64
import binascii
import codecs
import re
import unicodedata
from functools import lru_cache

from domains.names import normalise_host
from mailhost.errors import Refused

# RFC 5322, 2.1.1: a line has at most 998 characters. Two of them hold any name and address.
MAX_BYTES = 2000
# Longer ones are read each time, so that what is remembered stays about a megabyte.
MAX_REMEMBERED = 120
# RFC 5321, 4.5.3.1.1.
MAX_LOCAL = 64

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
ADDRESS = (
    rf"(?P<local>{ATOM}+(?:\.{ATOM}+)*)@(?P<domain>[A-Za-z0-9\u0080-\U0010ffff-]+(?:\.[A-Za-z0-9\u0080-\U0010ffff-]+)+)"
)
# Each character of a name can be matched in one way only, so no input makes these expressions slow.
QUOTED = r'"(?:[^"\\]|\\["\\])*"'
NAME = rf"""(?P<name>(?:[^()<>\[\]:;@\\,"]|{QUOTED})*)"""
COMMENT = r"""(?:\((?P<comment>[^()<>\[\]:;@\\,"]*)\)[ ]*)?"""
WITH_NAME = re.compile(rf"{NAME}<{ADDRESS}>[ ]*")
BARE = re.compile(rf"[ ]*{ADDRESS}[ ]*{COMMENT}")

ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]+)(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([!->@-~]*)\?=")
BETWEEN_WORDS = re.compile(r"""[\s<>()\[\]"',:;]+""")
# Unicode's control characters (Cc) and line ends (Zl, Zp).
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Characters that turn the direction of what follows, so that a name reads as something else.
TURNS_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_address(value: bytes, *, header: str = "From") -> str:
    """Return the address that this header's value names: lower case, its domain an A-label.

    Raises Refused with a sentence for the person who writes the message.
    """
    return _read_before(value, header) if len(value) <= MAX_REMEMBERED else _read(value, header)


@lru_cache(maxsize=4096)
def _read_before(value: bytes, header: str) -> str:
    """Return what was read the last time; nothing but the value decides, and people write under few names all day."""
    return _read(value, header)


def _read(value: bytes, header: str) -> str:
    text = _unfolded(value, header)
    found = WITH_NAME.fullmatch(text) or BARE.fullmatch(text)
    if not found:
        raise _misread(text, header)
    local, domain = found["local"], found["domain"]
    # An encoded word has no meaning in an address (RFC 2047, 5), but some programs decode it there.
    if "=?" in local or len(local) > MAX_LOCAL:
        raise _refusal(header, "holds an address whose part before the @ is not a plain one")
    address = f"{local.lower()}@{_host(domain.lower(), header)}"
    parts = found.groupdict()
    _check_name(parts.get("name") or parts.get("comment") or "", address, header)
    return address


@lru_cache(maxsize=4096)
def _host(domain: str, header: str) -> str:
    """Return the A-label form; the same few thousand domains write all day."""
    return normalise_host(domain, field=header)


def _unfolded(value: bytes, header: str) -> str:
    """Return the value as one line. Milters get folded lines parted by LF, and nothing else may control anything."""
    if len(value) > MAX_BYTES:
        raise _refusal(header, f"is longer than {MAX_BYTES} bytes")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _refusal(header, "holds bytes that are not UTF-8; encode the name (RFC 2047)") from None
    lines = text.split("\n")
    for line in lines[1:]:
        # A line of blanks ends the header for some parsers and not for others.
        if line[:1] not in (" ", "\t") or not line.strip(" \t"):
            raise _refusal(header, "is folded in a way that programs read differently")
    text = "".join(lines).replace("\t", " ")
    if control := CONTROL.search(text):
        raise _refusal(header, f"holds the control character U+{ord(control[0]):04X}")
    return text


def _misread(text: str, header: str) -> Refused:
    """Say what is at fault with a value that is none of the four forms."""
    plain = re.sub(QUOTED, "", text)
    if not text.strip():
        return _refusal(header, "is empty; name your own address in it", code="no_author")
    if "@" not in plain:
        return _refusal(header, "holds no address of the form name@domain", code="no_author")
    if plain.count("@") > 1 or ";" in plain or "," in plain:
        return _refusal(
            header,
            "names more than one address, a group, or a name with a comma or an @ outside quotes;"
            ' write one address, like "Anna, Acme" <anna@acme.example>',
            code="several_authors",
        )
    return _refusal(header, "cannot be read in one way only; write it like Anna <anna@acme.example>")


def _check_name(name: str, address: str, header: str) -> None:
    """Refuse a display name that shows an address other than the one behind it, plain or encoded."""
    if name.isascii() and "@" not in name and "=?" not in name:
        return
    raw = re.sub(r"\\(.)", r"\1", name.replace('"', ""))
    for text in {raw, _decoded(raw, header)}:
        if TURNS_DIRECTION.search(text):
            raise _refusal(header, "holds a name with characters that turn the direction of writing")
        if any(shown != address for shown in _addresses_seen(text)):
            raise _refusal(header, "shows another address in its name than the one it holds", code="false_name")


def _addresses_seen(text: str) -> list[str]:
    """Return what a reader takes for addresses in a name: full-width signs and invisible ones are no disguise."""
    visible = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    words = BETWEEN_WORDS.split(visible.replace("\u3002", ".").casefold())
    parts = [word.strip(".").rpartition("@") for word in words]
    return [f"{local}@{_a_label_form(domain)}" for local, _, domain in parts if local and "." in domain]


def _a_label_form(domain: str) -> str:
    try:
        return normalise_host(domain)
    except Refused:
        return domain


def _decoded(text: str, header: str) -> str:
    """Return the name as a reader sees it (RFC 2047), within quotes too, as many programs do."""
    # Blanks between two encoded words are not shown.
    joined = re.sub(r"\?= +=\?", "?==?", text)
    decoded = ENCODED_WORD.sub(lambda word: _decoded_word(word, header), joined)
    if "=?" in ENCODED_WORD.sub("", joined):
        raise _refusal(header, "holds an encoded word that cannot be read")
    if CONTROL.search(decoded):
        raise _refusal(header, "hides a control character in an encoded word")
    return decoded


def _decoded_word(word: re.Match[str], header: str) -> str:
    charset, encoding, content = word.groups()
    try:
        if encoding in "bB":
            data = base64.b64decode(content + "=" * (-len(content) % 4), validate=True)
        else:
            data = binascii.a2b_qp(content.encode(), header=True)
        # Python's own codecs (rot13, hex) are no charsets: decode() refuses them.
        return data.decode(codecs.lookup(charset).name)
    except (LookupError, ValueError):
        raise _refusal(header, "holds an encoded word that cannot be read") from None


def _refusal(header: str, fault: str, *, code: str = "unreadable_author") -> Refused:
    return Refused(code, header, f"The header {header} {fault}.")
