"""Publishing into a domain's own zone: every change of it, with a preview before and one way back after."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from dns import intents
from dns.answers import Answer, Outcome
from dns.changes import Change, Place, plan, text_of
from dns.key_operations import withdraw_keys
from dns.models import DnsRecord, Publication, PublishingIntent, Status, WrittenRecord, ZoneAccess
from dns.record_operations import CHECK_RECORDS, expected_of, schedule_checks
from dns.records import ExpectedRecord
from dns.remembered import refuse_too_many_acts
from dns.verdict import judge
from dns.zone_access_operations import asked, zone_of
from dns.zone_writing import ZoneWriter
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from domains.names import display_name, is_below
from domains.notices import tell
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.failpoints import failpoint
from mailhost.operation import operation
from mailhost.said import Day, Said
from mailhost.said import gettext as _

FAILING_FOR = timedelta(hours=24)


@operation("zones.publish")
def publish_records(actor: Actor, *, domain: Domain, asked_at: datetime | None = None) -> Publication:
    """Put the domain's records into its zone, and only what `preview` shows; a name server takes all of it or none.

    `asked_at`: when it was asked for, where that was before now; what was taken back since is not published again.
    Raises Refused: not_found, not_connected, frozen, undone, nothing_to_publish, under_way, too_many_lookups,
    not_published.
    """
    now = timezone.now()
    writer = _begun_publishing(actor, domain, now)
    if Publication.objects.filter(domain=domain, undone_at__gte=asked_at or now).exists():
        raise Refused("undone", "", _("What was published was taken back meanwhile, so nothing new is published."))
    return _publish(actor, domain, writer, now)


@operation("zones.publish")
def publish_by_itself(actor: Actor, *, domain: Domain) -> Publication:
    """The same without anybody's doing, where the domain's owner still lets us: an undo may have come first.

    Raises Refused as above, and nothing_to_publish where nothing is published by itself any more.
    """
    now = timezone.now()
    writer = _begun_publishing(actor, domain, now)
    if not publishes_by_itself(domain):
        raise Refused("nothing_to_publish", "", _("Nothing is published into this zone by itself any more."))
    return _publish(actor, domain, writer, now)


@operation("zones.undo")
def undo_publication(actor: Actor, *, domain: Domain) -> Publication:
    """Bring back what stood before the last publication, as far as nobody changed it since. Automatic publishing ends,
    and a key whose record goes signs no more until it is published again.

    Raises Refused: not_found, not_connected, nothing_to_undo, under_way, too_many_lookups, not_published.
    """
    now = timezone.now()
    writer = _begun(actor, domain, now)
    _take_up(actor, domain, writer, now)
    last = last_publication(domain)
    changes = [Change.from_dict(values).undone for values in last.changes]
    standing = asked(lambda: writer.read({(change.name, change.record_type) for change in changes}))
    doing = [_as_far_as_it_stands(change, standing[change.name, change.record_type]) for change in changes]
    # Killed on the way, it is simply done again: what is back already is found so.
    asked(lambda: writer.apply(doing))
    domain = lock_domain(actor, domain)
    last.undone_at = now
    last.save(update_fields=["undone_at"])
    ZoneAccess.objects.filter(domain=domain).update(automatic=False)
    _keep_ledger(domain, changes)
    # From here on, not from the beginning: whoever looked in between may have seen what is gone now.
    withdraw_keys(domain, {change.name for change in doing if change.removed}, timezone.now())
    _look_soon(domain, now)
    return last


@operation("zones.publish")
def settle_publication(actor: Actor, *, domain: Domain) -> Publication | Domain:
    """Note what came of a publication that was cut off, so that it can be taken back. Returns the publication, or the
    domain where nothing of it stands in the zone.

    Raises Refused: not_found, not_connected, under_way, not_published.
    """
    now = timezone.now()
    return _take_up(actor, domain, _begun(actor, domain, now), now) or domain


def last_publication(domain: Domain) -> Publication:
    """Return what would be taken back. Raises Refused: nothing_to_undo."""
    last = Publication.objects.filter(domain=domain, undone_at=None).order_by("-pk").first()
    if last is None:
        raise Refused("nothing_to_undo", "", _("Nothing was published that could be taken back."))
    return last


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
    if access is None or fault == "frozen":
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


def _begun(actor: Actor, domain: Domain, now: datetime) -> ZoneWriter:
    """Return the way into the zone for an act that changes it: one at a time, from its look at the zone to its end."""
    refuse_too_many_acts(actor, domain)
    if not intents.hold(domain.pk) or intents.is_under_way(domain.pk, now):
        raise Refused("under_way", "", _("These records are being published at this moment. Try again in a minute."))
    return zone_of(domain)


def _begun_publishing(actor: Actor, domain: Domain, now: datetime) -> ZoneWriter:
    refuse_frozen(domain)
    return _begun(actor, domain, now)


def _publish(actor: Actor, domain: Domain, writer: ZoneWriter, now: datetime) -> Publication:
    taken_up = _take_up(actor, domain, writer, now)
    doing = [change for change in _plan(domain, writer) if change.does_something]
    if not doing:
        if taken_up is not None:
            return taken_up
        raise Refused("nothing_to_publish", "", _("All that can be published stands in the zone already."))
    with intents.intended(domain.pk, writer.zone, doing, now) as intent:
        failpoint("publishing.intended")
        asked(lambda: writer.apply(doing))
        failpoint("publishing.written")
        domain = lock_domain(actor, domain)
        return _note_publication(domain, writer.zone, doing, intent, now)


def _take_up(actor: Actor, domain: Domain, writer: ZoneWriter, now: datetime) -> Publication | None:
    """Note what acts that were cut off have written; the newest of them is returned as a publication."""
    publication = None
    for intent in intents.left_over(now, domain.pk):
        changes = intents.changes_of(intent)
        standing = asked(lambda changes=changes: writer.read({(change.name, change.record_type) for change in changes}))
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
    _look_soon(domain, timezone.now())
    # Last: what fails after this would wait for its lock, to note by another connection that it has failed.
    PublishingIntent.objects.filter(pk=intent.pk).delete()
    return publication


def _plan(domain: Domain, writer: ZoneWriter) -> list[Change]:
    records = [expected_of(row) for row in DnsRecord.objects.filter(domain=domain).order_by("pk")]
    records = [record for record in records if record.name == writer.zone or is_below(record.name, writer.zone)]
    written: dict[Place, set[str]] = {}
    for row in WrittenRecord.objects.filter(domain=domain):
        written.setdefault((row.name, row.record_type), set()).add(row.data)
    places = {*((record.name, record.record_type) for record in records), *written}
    standing = asked(lambda: writer.read(places))
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
