"""Dynamic updates (RFC 2136), signed with TSIG (RFC 8945), over TCP."""

import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dns.changes import Change, Place
from dns.exception import DNSException
from dns.flags import RD
from dns.lookup import may_be_asked
from dns.message import Message, make_query
from dns.name import from_text as name_of
from dns.query import tcp
from dns.rcode import NOERROR, NXDOMAIN, to_text
from dns.rdatatype import from_text as type_of
from dns.tsig import Key, PeerError
from dns.update import UpdateMessage
from dns.zone_writing import Bound, NotPublished, side_by_side

# For everything that one act asks; a page waits for it.
TOTAL_SECONDS = 5
# A server may be far: forty questions one after another would take as many round trips.
AT_ONCE = 8
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
MOST_CHANGES = 200
# What customers have at names that are to become aliases.
BESIDE = ("A", "AAAA", "MX", "TXT")
# What else could: a server drops an alias that is to stand beside any of them without a word.
RARELY_BESIDE = ("CAA", "HTTPS", "NS", "PTR", "SRV", "TLSA")


@dataclass(frozen=True)
class NameServer:
    """A primary server that takes updates of one zone (`dns.zone_writing.ZoneWriter`). One of these is one act."""

    address: str
    port: int
    zone: str
    key_name: str
    algorithm: str
    secret: str = field(repr=False)
    bound: Bound = field(default_factory=lambda: Bound(TOTAL_SECONDS), repr=False, compare=False)
    # The operator's, named in the settings: it may have an address of a private network.
    is_own: bool = False

    def check(self) -> None:
        """Ask for an update of nothing: the server, the zone and the key must be right."""
        self._send(self._update())

    def read(self, places: Iterable[Place]) -> dict[Place, tuple[str, ...]]:
        asked = set(places)
        found = self._read({*asked, *((name, "CNAME") for name, _type in asked)})
        # An alias bears nothing beside it, and a server passes over one that is to be entered all the same.
        to_be_aliases = [name for name, kind in asked if kind == "CNAME" and not found[name, kind]]
        return found | self._read({(name, kind) for name in to_be_aliases for kind in BESIDE} - set(found))

    def _read(self, places: Iterable[Place]) -> dict[Place, tuple[str, ...]]:
        wanted = sorted(places)
        return dict(
            zip(wanted, side_by_side(lambda place: self._records(*place), wanted, at_once=AT_ONCE), strict=True)
        )

    def cannot(self, record_type: str, data: str) -> str:
        """Nothing: a name server keeps every record that DNS knows."""
        return ""

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes, or none."""
        doing = [change for change in changes if change.does_something][:MOST_CHANGES]
        if not doing:
            return
        standing = self.read((change.name, change.record_type) for change in doing)
        update = self._update()
        for name in dict.fromkeys(change.name for change in doing):
            _require(update, name, [change for change in doing if change.name == name], standing)
        # What goes does so first: within one update, too, an alias bears nothing beside it.
        for change in doing:
            for data in change.removed:
                update.delete(name_of(f"{change.name}."), change.record_type, data)
        for change in doing:
            for data in change.added:
                update.add(name_of(f"{change.name}."), change.ttl, change.record_type, data)
        self._send(update)

    def _records(self, name: str, record_type: str) -> tuple[str, ...]:
        query = make_query(f"{name}.", type_of(record_type))
        query.flags &= ~RD
        response = self._ask(query)
        if response.rcode() not in (NOERROR, NXDOMAIN):
            text = _("The name server answered %(code)s for %(name)s.")
            raise NotPublished(text % {"code": to_text(response.rcode()), "name": name})
        return tuple(
            record.to_text()
            for rrset in response.answer
            if rrset.name == name_of(f"{name}.") and rrset.rdtype == type_of(record_type)
            for record in rrset
        )

    def _update(self) -> UpdateMessage:
        try:
            key = Key(f"{self.key_name}.", self.secret, self.algorithm)
        except (binascii.Error, ValueError, DNSException):
            raise NotPublished(_("The secret is not the base64 text of a TSIG key.")) from None
        return UpdateMessage(f"{self.zone}.", keyring=key)

    def _send(self, update: UpdateMessage) -> None:
        code = self._ask(update).rcode()
        if code != NOERROR:
            other = _("The name server answered %(code)s.") % {"code": to_text(code)}
            raise NotPublished(str(MEANINGS.get(to_text(code), other)))

    def _ask(self, message: Message) -> Message:
        if not self.is_own and not may_be_asked(self.address):
            raise NotPublished(_("The name server's address is not a public one."))
        try:
            return tcp(message, self.address, timeout=self.bound.left(), port=self.port)
        except PeerError:
            raise NotPublished(
                _("The name server knows no such key, or its secret or algorithm is another one.")
            ) from None
        except DNSException as error:
            text = _("The name server did not take the question (%(error)s).")
            raise NotPublished(text % {"error": type(error).__name__}) from None
        except (OSError, EOFError):
            raise NotPublished(_("The name server could not be reached.")) from None


def _require(
    update: UpdateMessage, name: str, changes: Sequence[Change], standing: Mapping[Place, tuple[str, ...]]
) -> None:
    """Have the server make the update only while this name is as it was read. Raises NotPublished."""
    owner = name_of(f"{name}.")
    leaving = {change.record_type: set(change.removed) for change in changes if change.removed}
    coming = {change.record_type for change in changes if change.added}
    for kind, data in leaving.items():
        if not data <= set(standing[name, kind]):
            raise NotPublished(str(MEANINGS["NXRRSET"]))
        # A server compares all of a name and type (RFC 2136, 2.4.2), so what stays beside is told too.
        for one in standing[name, kind]:
            update.present(owner, kind, one)
    if "CNAME" in leaving:
        return
    if coming - {"CNAME"}:
        update.absent(owner, "CNAME")
    elif coming and not leaving:
        update.absent(owner)
    elif coming:
        if any(set(standing[name, kind]) - data for kind, data in leaving.items()):
            raise NotPublished(str(MEANINGS["YXDOMAIN"]))
        for kind in {*BESIDE, *RARELY_BESIDE} - set(leaving):
            update.absent(owner, kind)


MEANINGS: dict[str, Promise] = {
    "NOTAUTH": gettext_lazy("The name server does not know this key, or does not serve the zone (NOTAUTH)."),
    "REFUSED": gettext_lazy("The name server does not let this key change the zone (REFUSED)."),
    "NOTZONE": gettext_lazy("A name lies outside of the zone (NOTZONE)."),
    "NXRRSET": gettext_lazy("What is to be replaced was changed meanwhile (NXRRSET). Look at the preview again."),
    "YXDOMAIN": gettext_lazy("Something stands where an alias is to be entered (YXDOMAIN). Look at the preview again."),
    "YXRRSET": gettext_lazy("Something is in the way that was not there before (YXRRSET). Look at the preview again."),
    "SERVFAIL": gettext_lazy("The name server failed (SERVFAIL)."),
}
