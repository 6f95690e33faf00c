"""Publishing into a domain's own zone: every change of it, with a preview before and one way back after."""

from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from dns.answers import Answer, Outcome
from dns.changes import Change, Place, plan, text_of
from dns.lookup import look_up, may_be_asked
from dns.models import DnsRecord, Publication, Status, WrittenRecord, ZoneAccess
from dns.nsupdate import ALGORITHMS, NameServer, NotPublished
from dns.record_operations import CHECK_RECORDS, expected_of, schedule_checks
from dns.records import ExpectedRecord
from dns.verdict import is_address, judge
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from domains.names import is_below, normalise_host
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.vault import seal, unseal
from mailhost.waiting import waiting

MOST_SECRET = 500


@operation("zones.connect", secrets=("secret",))
def connect_zone(
    actor: Actor,
    *,
    domain: Domain,
    server: str,
    port: int = 53,
    zone: str = "",
    key_name: str,
    algorithm: str = "hmac-sha256",
    secret: str,
    automatic: bool = True,
) -> ZoneAccess:
    """Keep the key with which the domain's primary name server takes updates (RFC 2136), after trying it.

    `automatic`: later changes, such as the next signing key, are published without anybody's doing.
    Raises Refused: not_found, invalid_server, invalid_port, invalid_zone, invalid_key_name, invalid_algorithm,
    invalid_secret, not_published.
    """
    # Any suffix of the name may be a zone, also one of a single label.
    zone = zone.strip().rstrip(".").lower() or domain.domain_name
    if domain.domain_name != zone and not is_below(domain.domain_name, zone):
        raise Refused(
            "invalid_zone",
            "zone",
            _("%(domain_name)s does not lie in %(zone)s.") % {"domain_name": domain.domain_name, "zone": zone},
        )
    if not 0 < port < 65536:
        raise Refused("invalid_port", "port", _("A port is a number from 1 to 65535."))
    if algorithm not in ALGORITHMS:
        raise Refused(
            "invalid_algorithm", "algorithm", _("Choose one of %(names)s.") % {"names": ", ".join(ALGORITHMS)}
        )
    if not (secret.isascii() and 0 < len(secret) <= MOST_SECRET):
        raise Refused("invalid_secret", "secret", _("The secret is the base64 text that your name server shows."))
    address = _address_of(server)
    key = _key_name(key_name)
    with_server = NameServer(address, port, zone, key, algorithm, secret)
    _told(with_server.check)
    domain = lock_domain(actor, domain)
    # The domain is locked, so nobody else writes this row; update_or_create() would lock the tenant's too.
    access = ZoneAccess.objects.filter(domain=domain).first() or ZoneAccess(domain=domain)
    access.server, access.port, access.zone = server.strip().rstrip("."), port, zone
    access.key_name, access.algorithm, access.sealed_secret = key, algorithm, seal(secret)
    access.automatic = automatic
    access.save()
    return access


@operation("zones.disconnect")
def disconnect_zone(actor: Actor, *, domain: Domain) -> Domain:
    """Forget the key; what was published stays. Raises Refused: not_found, not_connected."""
    domain = lock_domain(actor, domain)
    if not ZoneAccess.objects.filter(domain=domain).delete()[0]:
        raise _not_connected()
    return domain


@operation("zones.publish")
def publish_records(actor: Actor, *, domain: Domain) -> Publication:
    """Put the domain's records into its zone: all at once, and only what `preview` shows.

    Raises Refused: not_found, not_connected, frozen, nothing_to_publish, not_published.
    """
    now = timezone.now()
    refuse_frozen(domain)
    server = server_of(domain)
    doing = [change for change in _plan(domain, server) if change.does_something]
    if not doing:
        raise Refused("nothing_to_publish", "", _("All that can be published stands in the zone already."))
    _told(lambda: server.apply(doing))
    domain = lock_domain(actor, domain)
    publication = Publication.objects.create(
        domain=domain, zone=server.zone, changes=[change.as_dict() for change in doing], made_at=now
    )
    _keep_ledger(domain, doing)
    _look_soon(domain, now)
    return publication


@operation("zones.undo")
def undo_publication(actor: Actor, *, domain: Domain) -> Publication:
    """Bring back what stood before the last publication, as far as nobody changed it since. Automatic publishing ends.

    Raises Refused: not_found, not_connected, nothing_to_undo, not_published.
    """
    now = timezone.now()
    server = server_of(domain)
    last = Publication.objects.filter(domain=domain, undone_at=None).order_by("-pk").first()
    if last is None:
        raise Refused("nothing_to_undo", "", _("Nothing was published that could be taken back."))
    changes = [Change.from_dict(values).undone for values in last.changes]
    standing = _told(lambda: server.read({(change.name, change.record_type) for change in changes}))
    doing = [_as_far_as_it_stands(change, standing[change.name, change.record_type]) for change in changes]
    _told(lambda: server.apply(doing))
    domain = lock_domain(actor, domain)
    last.undone_at = now
    last.save(update_fields=["undone_at"])
    ZoneAccess.objects.filter(domain=domain).update(automatic=False)
    _keep_ledger(domain, doing)
    _look_soon(domain, now)
    return last


def preview(domain: Domain) -> list[Change]:
    """Return what publishing would change now; it changes nothing. Raises Refused: not_connected, not_published."""
    return _plan(domain, server_of(domain))


def server_of(domain: Domain) -> NameServer:
    """Return the server that takes updates of the domain's zone. Raises Refused: not_connected, invalid_server."""
    access = ZoneAccess.objects.filter(domain=domain).first()
    if access is None:
        raise _not_connected()
    secret, address = unseal(access.sealed_secret), _address_of(access.server)
    return NameServer(address, access.port, access.zone, access.key_name, access.algorithm, secret)


def _plan(domain: Domain, server: NameServer) -> list[Change]:
    records = [expected_of(row) for row in DnsRecord.objects.filter(domain=domain).order_by("pk")]
    records = [record for record in records if record.name == server.zone or is_below(record.name, server.zone)]
    written: dict[Place, set[str]] = {}
    for row in WrittenRecord.objects.filter(domain=domain):
        written.setdefault((row.name, row.record_type), set()).add(row.data)
    places = {*((record.name, record.record_type) for record in records), *written}
    standing = _told(lambda: server.read(places))
    return plan(records, standing, {place: frozenset(data) for place, data in written.items()}, is_right)


def is_right(record: ExpectedRecord, present: tuple[str, ...]) -> bool:
    """Say whether what stands at a place does what the record is for."""
    values = tuple(sorted(as_seen(record.record_type, data) for data in present))
    answer = Answer(Outcome.FOUND if values else Outcome.NO_SUCH_RECORD, values)
    return judge(record, answer).status == Status.OK


def as_seen(record_type: str, data: str) -> str:
    """Return zone-file data as a lookup shows it."""
    if record_type == "TXT":
        return text_of(data)
    return data.removesuffix(".").lower() if record_type in {"MX", "CNAME"} else data


def _as_far_as_it_stands(change: Change, present: tuple[str, ...]) -> Change:
    return replace(
        change,
        removed=tuple(one for one in change.removed if one in present),
        added=tuple(one for one in change.added if one not in present),
    )


def _keep_ledger(domain: Domain, changes: list[Change]) -> None:
    """Remember what is ours. A merged SPF record is not: it holds what somebody else wrote."""
    for change in changes:
        place = {"domain": domain, "name": change.name, "record_type": change.record_type}
        WrittenRecord.objects.filter(**place, data__in=change.removed).delete()
        if not (change.record_type == "TXT" and change.name == domain.domain_name):
            WrittenRecord.objects.bulk_create(WrittenRecord(**place, data=data) for data in change.added)


def _look_soon(domain: Domain, now: datetime) -> None:
    schedule_checks(domain, now)
    later(CHECK_RECORDS, domain_id=domain.pk)


def _told(ask):
    try:
        with waiting():
            return ask()
    except NotPublished as error:
        raise Refused("not_published", "", str(error)) from None


def _address_of(server: str) -> str:
    """Return an address of the server that we may ask. Raises Refused("invalid_server", …)."""
    host = server.strip()
    if is_address(host):
        found = [host]
    else:
        name = normalise_host(host, field="server")
        with waiting():
            found = [value for kind in ("A", "AAAA") for value in look_up(name, kind).values if is_address(value)]
    for address in found:
        if may_be_asked(address):
            return address
    raise Refused("invalid_server", "server", _("This is not the name or address of a public name server."))


def _key_name(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    if not name or len(name) > 253 or not all(sign.isascii() and (sign.isalnum() or sign in "-_.") for sign in name):
        raise Refused("invalid_key_name", "key_name", _("The key's name has letters, digits, hyphens and dots."))
    return name


def _not_connected() -> Refused:
    return Refused("not_connected", "", _("No name server is connected to this domain."))
