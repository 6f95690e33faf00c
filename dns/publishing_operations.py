"""Publishing into a domain's own zone: every change of it, with a preview before and one way back after."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from dns import intents
from dns.answers import Answer, Outcome
from dns.changes import Change, Place, plan, text_of
from dns.key_operations import withdraw_keys
from dns.lookup import look_up, may_be_asked
from dns.models import DnsRecord, Publication, PublishingIntent, Status, WrittenRecord, ZoneAccess
from dns.nsupdate import ALGORITHMS, NameServer
from dns.provider_zone import ProviderZone, is_installed
from dns.providers import PROVIDERS
from dns.record_operations import CHECK_RECORDS, expected_of, schedule_checks
from dns.records import ExpectedRecord
from dns.remembered import refuse_too_many_acts
from dns.verdict import is_address, judge
from dns.zone_writing import NotPublished, ZoneWriter
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from domains.names import display_name, is_below, normalise_host
from domains.notices import tell
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.failpoints import failpoint
from mailhost.operation import operation
from mailhost.said import Day, Said
from mailhost.said import gettext as _
from mailhost.vault import seal, unseal
from mailhost.waiting import waiting

MOST_SECRET = 500
FAILING_FOR = timedelta(hours=24)


@operation("zones.connect", secrets=("secret",))
def connect_zone(
    actor: Actor,
    *,
    domain: Domain,
    secret: str,
    provider: str = "",
    server: str = "",
    port: int = 53,
    zone: str = "",
    key_name: str = "",
    algorithm: str = "hmac-sha256",
    automatic: bool = True,
) -> ZoneAccess:
    """Keep what opens the domain's zone, after trying it: a TSIG key for dynamic updates (RFC 2136) at `server`, or an
    API token of `provider`.

    `automatic`: later changes, such as the next signing key, are published without anybody's doing.
    Raises Refused: not_found, invalid_provider, invalid_server, invalid_port, invalid_zone, invalid_key_name,
    invalid_algorithm, invalid_secret, too_many_lookups, not_published.
    """
    # Any suffix of the name may be a zone, also one of a single label.
    zone = zone.strip().rstrip(".").lower() or domain.domain_name
    if domain.domain_name != zone and not is_below(domain.domain_name, zone):
        raise Refused(
            "invalid_zone",
            "zone",
            _("%(domain_name)s does not lie in %(zone)s.") % {"domain_name": domain.domain_name, "zone": zone},
        )
    if provider:
        _check_provider(provider, secret)
        access = {"provider": provider, "server": "", "port": 53, "key_name": "", "algorithm": ""}
    else:
        access = _checked_server(server, port, key_name, algorithm, secret)
    refuse_too_many_acts(actor, domain)
    writer = _writer(zone=zone, secret=secret, **access)
    _told(writer.check)
    domain = lock_domain(actor, domain)
    # The domain is locked, so nobody else writes this row; update_or_create() would lock the tenant's too.
    row = ZoneAccess.objects.filter(domain=domain).first() or ZoneAccess(domain=domain)
    for name, value in access.items():
        setattr(row, name, value)
    row.zone, row.sealed_secret, row.automatic = zone, seal(secret), automatic
    row.failing_since = row.failure_told_at = None
    row.save()
    return row


@operation("zones.disconnect")
def disconnect_zone(actor: Actor, *, domain: Domain) -> Domain:
    """Forget the key; what was published stays. Raises Refused: not_found, not_connected."""
    domain = lock_domain(actor, domain)
    if not ZoneAccess.objects.filter(domain=domain).delete()[0]:
        raise Refused("not_connected", "", _("No name server is connected to this domain."))
    return domain


@operation("zones.publish")
def publish_records(actor: Actor, *, domain: Domain) -> Publication:
    """Put the domain's records into its zone, and only what `preview` shows; a name server takes all of it or none.

    Raises Refused: not_found, not_connected, frozen, nothing_to_publish, under_way, too_many_lookups, not_published.
    """
    now = timezone.now()
    refuse_frozen(domain)
    writer = _begun(actor, domain, now)
    taken_up = _take_up(actor, domain, writer, now)
    doing = [change for change in _plan(domain, writer) if change.does_something]
    if not doing:
        if taken_up is not None:
            return taken_up
        raise Refused("nothing_to_publish", "", _("All that can be published stands in the zone already."))
    with intents.intended(domain.pk, writer.zone, doing, now) as intent:
        failpoint("publishing.intended")
        _told(lambda: writer.apply(doing))
        failpoint("publishing.written")
        domain = lock_domain(actor, domain)
        return _note_publication(domain, writer.zone, doing, intent, now)


@operation("zones.undo")
def undo_publication(actor: Actor, *, domain: Domain) -> Publication:
    """Bring back what stood before the last publication, as far as nobody changed it since. Automatic publishing ends,
    and a key whose record goes signs no more until it is published again.

    Raises Refused: not_found, not_connected, nothing_to_undo, under_way, too_many_lookups, not_published.
    """
    now = timezone.now()
    writer = _begun(actor, domain, now)
    _take_up(actor, domain, writer, now)
    last = Publication.objects.filter(domain=domain, undone_at=None).order_by("-pk").first()
    if last is None:
        raise Refused("nothing_to_undo", "", _("Nothing was published that could be taken back."))
    changes = [Change.from_dict(values).undone for values in last.changes]
    standing = _told(lambda: writer.read({(change.name, change.record_type) for change in changes}))
    doing = [_as_far_as_it_stands(change, standing[change.name, change.record_type]) for change in changes]
    # Killed on the way, it is simply done again: what is back already is found so.
    _told(lambda: writer.apply(doing))
    domain = lock_domain(actor, domain)
    last.undone_at = now
    last.save(update_fields=["undone_at"])
    ZoneAccess.objects.filter(domain=domain).update(automatic=False)
    _keep_ledger(domain, changes)
    withdraw_keys(domain, {change.name for change in doing if change.removed}, now)
    _look_soon(domain, now)
    return last


@operation("zones.publish")
def settle_publication(actor: Actor, *, domain: Domain) -> Publication | Domain:
    """Note what came of a publication that was cut off, so that it can be taken back. Returns the publication, or the
    domain where nothing of it stands in the zone.

    Raises Refused: not_found, not_connected, not_published.
    """
    return _take_up(actor, domain, zone_of(domain), timezone.now()) or domain


def domains_cut_off(now: datetime) -> list[int]:
    """Return the ids of domains whose publishing failed or was killed on the way."""
    return list(dict.fromkeys(intent.domain_pk for intent in intents.left_over(now)))


def forget_intents(domain_pk: int) -> None:
    """Give up what a publication left that nobody can look after any more."""
    PublishingIntent.objects.filter(domain_pk=domain_pk).delete()


def stop_publishing(domain: Domain) -> None:
    """Publish nothing by itself any more. The caller has locked the domain."""
    ZoneAccess.objects.filter(domain=domain).update(automatic=False)


def publishes_by_itself(domain: Domain) -> bool:
    return ZoneAccess.objects.filter(domain=domain, automatic=True).exists()


@transaction.atomic
def note_by_itself(domain: Domain, fault: str, now: datetime) -> None:
    """Note how publishing by itself went; `fault` is the code of a refusal, "" where it was done. What lasts for a day
    is told: the next signing key would wait for its record in silence."""
    access = ZoneAccess.objects.select_for_update().filter(domain=domain).first()
    if access is None or fault in {"under_way", "frozen"}:
        return
    if fault in {"", "nothing_to_publish"}:
        access.failing_since = access.failure_told_at = None
    else:
        access.failing_since = access.failing_since or now
        if access.failure_told_at is None and now - access.failing_since >= FAILING_FOR:
            access.failure_told_at = now
            text = gettext_noop(
                "Records of %(name)s could not be published by themselves since %(day)s, so a new signing key would "
                "wait. The key or token may be revoked: the page of publishing says what is wrong."
            )
            told = {"name": display_name(domain.domain_name), "day": Day(access.failing_since.date())}
            tell(domain, "domain.publishing_failing", Said(text, **told))
    access.save(update_fields=["failing_since", "failure_told_at"])


def preview(actor: Actor, domain: Domain) -> list[Change]:
    """Return what publishing would change now; it changes nothing.

    Raises Refused: not_connected, too_many_lookups, not_published.
    """
    refuse_too_many_acts(actor, domain)
    return _plan(domain, zone_of(domain))


def zone_of(domain: Domain) -> ZoneWriter:
    """Return the way into the domain's zone, for one act. Raises Refused: not_connected, invalid_server."""
    access = ZoneAccess.objects.filter(domain=domain).first()
    if access is None:
        raise Refused("not_connected", "", _("No name server is connected to this domain."))
    return _writer(
        provider=access.provider,
        zone=access.zone,
        secret=unseal(access.sealed_secret),
        server=access.server,
        port=access.port,
        key_name=access.key_name,
        algorithm=access.algorithm,
    )


def _writer(
    *, provider: str, zone: str, secret: str, server: str, port: int, key_name: str, algorithm: str
) -> ZoneWriter:
    if provider:
        return ProviderZone(PROVIDERS[provider], zone, secret)
    return NameServer(_address_of(server), port, zone, key_name, algorithm, secret)


def _begun(actor: Actor, domain: Domain, now: datetime) -> ZoneWriter:
    """Return the way into the zone for an act that changes it: one at a time."""
    refuse_too_many_acts(actor, domain)
    if intents.is_under_way(domain.pk, now):
        raise Refused("under_way", "", _("These records are being published at this moment. Try again in a minute."))
    return zone_of(domain)


def _take_up(actor: Actor, domain: Domain, writer: ZoneWriter, now: datetime) -> Publication | None:
    """Note what acts that were cut off have written; the newest of them is returned as a publication."""
    publication = None
    for intent in intents.left_over(now, domain.pk):
        changes = intents.changes_of(intent)
        standing = _told(lambda changes=changes: writer.read({(change.name, change.record_type) for change in changes}))
        done = [change for change in changes if _is_done(change, standing[change.name, change.record_type])]
        domain = lock_domain(actor, domain)
        if done:
            publication = _note_publication(domain, intent.zone, done, intent, intent.begun_at)
        else:
            PublishingIntent.objects.filter(pk=intent.pk).delete()
    return publication


def _is_done(change: Change, present: tuple[str, ...]) -> bool:
    return set(change.added) <= set(present) and not set(change.removed) & set(present)


def _note_publication(
    domain: Domain, zone: str, changes: list[Change], intent: PublishingIntent, made_at: datetime
) -> Publication:
    publication = Publication.objects.create(
        domain=domain, zone=zone, changes=[change.as_dict() for change in changes], made_at=made_at
    )
    _keep_ledger(domain, changes)
    PublishingIntent.objects.filter(pk=intent.pk).delete()
    _look_soon(domain, timezone.now())
    return publication


def _plan(domain: Domain, writer: ZoneWriter) -> list[Change]:
    records = [expected_of(row) for row in DnsRecord.objects.filter(domain=domain).order_by("pk")]
    records = [record for record in records if record.name == writer.zone or is_below(record.name, writer.zone)]
    written: dict[Place, set[str]] = {}
    for row in WrittenRecord.objects.filter(domain=domain):
        written.setdefault((row.name, row.record_type), set()).add(row.data)
    places = {*((record.name, record.record_type) for record in records), *written}
    standing = _told(lambda: writer.read(places))
    changes = plan(records, standing, {place: frozenset(data) for place, data in written.items()}, is_right)
    return [_as_far_as_it_can(change, writer) for change in changes]


def _as_far_as_it_can(change: Change, writer: ZoneWriter) -> Change:
    """Return the change, or where the zone's keeper cannot hold what it adds, none at its place and why."""
    lacks = dict.fromkeys(said for data in change.added if (said := writer.cannot(change.record_type, data)))
    if not lacks:
        return change
    return replace(change, removed=(), added=(), note=" ".join([*filter(None, [change.note]), *lacks]))


def is_right(record: ExpectedRecord, present: tuple[str, ...]) -> bool:
    """Say whether what stands at a place does what the record is for."""
    values = tuple(sorted(as_seen(record.record_type, data) for data in present))
    answer = Answer(Outcome.FOUND if values else Outcome.NO_SUCH_RECORD, values)
    return judge(record, answer).status == Status.OK


def as_seen(record_type: str, data: str) -> str:
    """Return zone-file data as a lookup shows it."""
    if record_type == "TXT":
        return text_of(data)
    return data.removesuffix(".").lower() if record_type in {"MX", "CNAME", "PTR"} else data


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


def _check_provider(provider: str, token: str) -> None:
    if provider not in PROVIDERS or not is_installed():
        raise Refused("invalid_provider", "provider", _("Records cannot be published there from here."))
    if not (token.isascii() and token.isprintable() and " " not in token and 0 < len(token) <= MOST_SECRET):
        raise Refused("invalid_secret", "secret", _("This is not an API token. Copy it once more."))


def _checked_server(server: str, port: int, key_name: str, algorithm: str, secret: str) -> dict[str, Any]:
    if not 0 < port < 65536:
        raise Refused("invalid_port", "port", _("A port is a number from 1 to 65535."))
    if algorithm not in ALGORITHMS:
        raise Refused(
            "invalid_algorithm", "algorithm", _("Choose one of %(names)s.") % {"names": ", ".join(ALGORITHMS)}
        )
    if not (secret.isascii() and 0 < len(secret) <= MOST_SECRET):
        raise Refused("invalid_secret", "secret", _("The secret is the base64 text that your name server shows."))
    host = server.strip().rstrip(".")
    return {"provider": "", "server": host, "port": port, "key_name": _key_name(key_name), "algorithm": algorithm}


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
