"""The operator's zone in which the aliases of customers' domains end: written here, by dynamic updates alone."""

from django.conf import settings

from dns.changes import Change
from dns.dkim import public_record
from dns.key_aliases import KEY_TTL_SECONDS, SELECTORS, end_of_alias, is_offered
from dns.lookup import resolver
from dns.models import DkimKey
from dns.nsupdate import NameServer
from dns.records import quoted
from dns.zone_data import typed
from mailhost.background import later

CHECK_RECORDS = "dns.tasks.check_records"
# A key that changes while the zone is being written is seen at the next round.
MOST_ROUNDS = 5


def zone_server() -> NameServer:
    """Return the way into the operator's zone, for one act."""
    server = resolver(settings.MAILHOST_DKIM_ZONE_SERVER)
    return NameServer(
        server.address,
        server.port,
        settings.MAILHOST_DKIM_ZONE,
        settings.MAILHOST_DKIM_ZONE_KEY_NAME,
        settings.MAILHOST_DKIM_ZONE_KEY_ALGORITHM,
        settings.MAILHOST_DKIM_ZONE_KEY_SECRET,
        is_own=True,
    )


def publish_keys(domain_pk: int) -> bool:
    """Make the ends of one domain's aliases hold the keys that DNS is to show, and nothing else. Says whether anything
    changed. Safe to run twice and at once. The caller has entered the scope.

    Raises NotPublished with nothing changed.
    """
    has_changed = False
    for _ in range(MOST_ROUNDS if is_offered() else 0):
        wanted = wanted_texts(domain_pk)
        writer = zone_server()
        standing = writer.read({(name, "TXT") for name in wanted})
        changes = [
            change
            for name, texts in wanted.items()
            if (change := difference(name, standing[name, "TXT"], texts)).does_something
        ]
        if not changes:
            break
        writer.apply(changes)
        has_changed = True
    if has_changed:
        later(CHECK_RECORDS, domain_id=domain_pk)
    return has_changed


def wanted_texts(domain_pk: int) -> dict[str, tuple[str, ...]]:
    """Return what should stand at each end, as data in zone-file form; nothing once the domain is deleted."""
    keys = list(DkimKey.objects.filter(domain=domain_pk, by_alias=True).select_related("domain").order_by("pk"))
    if not keys:
        return {}
    domain = keys[0].domain
    live = {key.selector: key for key in keys if key.is_shown_in_dns} if domain.deleted_at is None else {}
    return {
        end_of_alias(selector, domain.uid, settings.MAILHOST_DKIM_ZONE): (
            (typed("TXT", quoted(public_record(live[selector].public_key))),) if selector in live else ()
        )
        for selector in SELECTORS
    }


def difference(name: str, present: tuple[str, ...], wanted: tuple[str, ...]) -> Change:
    return Change(
        name,
        "TXT",
        KEY_TTL_SECONDS,
        removed=tuple(one for one in present if one not in wanted),
        added=tuple(one for one in wanted if one not in present),
    )
