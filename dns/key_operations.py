"""The life of signing keys: every change of them.

pending → published → active → retiring → retired. A key signs only after every authoritative server has shown it,
one waits at a time, and each step is one transaction: whatever crashes in between, the next run finds the state and
goes on.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from dns import dkim, key_aliases
from dns.models import DkimKey, DnsRecord, KeyState, Purpose, Status
from dns.operations import PUBLISH_KEYS, want_tables
from dns.records import dkim_name
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from domains.names import MAX_NAME, display_name
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant

REFRESH_RECORDS = "dns.tasks.refresh_records"
CHECK_RECORDS = "dns.tasks.check_records"
ACTIVATE_KEY = "dns.tasks.activate_key"

ROTATE_AFTER = timedelta(days=180)
# Mail that was signed with the former key may be on its way for as long as servers try: five days, and two to spare.
RETIRE_AFTER = timedelta(days=7)
# What DNS showed longer ago than this is looked up again before a key begins to sign.
SIGHT_HOLDS = timedelta(minutes=10)
MOST_ROTATIONS = 100


@operation("dkim_keys.ensure")
def ensure_key(actor: Actor, *, domain: Domain) -> DkimKey:
    """Return the key that signs the domain's mail or will, made now where there is none. Safe to run twice and at once.

    Raises Refused when the domain has been deleted.
    """
    if key := _present_key(domain):
        return key
    # Before the lock: a tenth of a second of processor time, in which nobody else should wait.
    pair = dkim.make_key()
    lock_domain(actor, domain)
    return _present_key(domain) or _add_own_key(domain, pair, by_alias=is_by_alias(domain))


@operation("dkim_keys.rotate")
def rotate_key(actor: Actor, *, domain: Domain) -> DkimKey:
    """Make the domain's next key. It signs once DNS shows it; until then the present one does.

    Raises Refused: not_found, not_verified, rotation_under_way, no_free_selector.
    """
    pair = dkim.make_key()
    domain = lock_domain(actor, domain)
    _refuse_second_rotation(domain)
    return _add_own_key(domain, pair, by_alias=is_by_alias(domain))


@operation("dkim_keys.delegate")
def delegate_keys(actor: Actor, *, domain: Domain, by_alias: bool) -> DkimKey:
    """Have the domain's next keys stand in the operator's zone, behind aliases, or in the domain itself. The next key
    is made at once, in place of one that waits; the present one signs until DNS shows it.

    Raises Refused: not_found, frozen, not_offered, no_free_selector.
    """
    if by_alias and not key_aliases.is_offered():
        raise Refused("not_offered", "", _("This installation has no zone for the keys of its customers."))
    pair = dkim.make_key()
    domain = lock_domain(actor, domain)
    refuse_frozen(domain)
    newest = DkimKey.objects.shown_in_dns().filter(domain=domain).last()
    if newest is not None and newest.by_alias == by_alias:
        return newest
    if newest is not None and newest.state in {KeyState.PENDING, KeyState.PUBLISHED}:
        _retire(newest, timezone.now())
    return _add_own_key(domain, pair, by_alias=by_alias)


@operation("dkim_keys.import", secrets=("private_pem",))
def import_key(actor: Actor, *, domain: Domain, selector: str, private_pem: str) -> DkimKey:
    """Take a key that was made elsewhere as the domain's next one, so that its record in DNS can stay.

    Raises Refused: not_found, not_verified, rotation_under_way, invalid_selector, invalid_key, taken.
    """
    if selector in key_aliases.SELECTORS and key_aliases.is_offered():
        text = _("The selector %(selector)s is kept for keys behind aliases. Import the key under another one.")
        raise Refused("taken", "selector", text % {"selector": selector})
    if not dkim.SELECTOR.fullmatch(selector):
        raise Refused(
            "invalid_selector",
            "selector",
            _("A selector is one label of up to 40 lower-case letters, digits and hyphens."),
        )
    if len(dkim_name(selector, domain.domain_name)) > MAX_NAME:
        text = _("Under this selector the name of the key's record would have more than %(most)s characters.")
        raise Refused("invalid_selector", "selector", text % {"most": MAX_NAME})
    try:
        pair = dkim.read_key(private_pem)
    except dkim.UnusableKey as error:
        raise Refused(
            "invalid_key", "private_pem", _("This key cannot be used: %(error)s.") % {"error": error}
        ) from None
    domain = lock_domain(actor, domain)
    _refuse_second_rotation(domain)
    if DkimKey.objects.filter(domain=domain, selector=selector).exists():
        raise Refused(
            "taken",
            "selector",
            _("The selector %(selector)s has been used for this domain already.") % {"selector": selector},
        )
    return _add_key(domain, selector, pair)


@operation("dkim_keys.abandon")
def abandon_key(actor: Actor, *, domain: Domain) -> DkimKey:
    """Give up the key that waits until DNS shows it. Raises Refused: not_found, not_waiting, only_key."""
    domain = lock_domain(actor, domain)
    waiting = DkimKey.objects.next_in_line().filter(domain=domain).first()
    if waiting is None:
        raise Refused("not_waiting", "", _("No key waits to sign."))
    if not DkimKey.objects.signing().filter(domain=domain).exists():
        raise Refused("only_key", "", _("This is the domain's only key. Without it, mail would stay unsigned."))
    _retire(waiting, timezone.now())
    return waiting


@operation("dkim_keys.publish")
def note_published(actor: Actor, *, key: DkimKey, now: datetime) -> DkimKey:
    """Note that every authoritative server shows a pending key, as it was seen from `now` on, and have it sign soon."""
    lock_domain(actor, key.domain)
    # What was seen before its record was last taken out says nothing.
    waiting = DkimKey.objects.filter(pk=key.pk, state=KeyState.PENDING, state_since__lte=now)
    if waiting.update(state=KeyState.PUBLISHED, state_since=now, updated_at=now):
        later(ACTIVATE_KEY, domain_id=key.domain_id)
    key.refresh_from_db()
    return key


@operation("dkim_keys.activate")
def activate_key(actor: Actor, *, domain: Domain, now: datetime) -> DkimKey | None:
    """Let the domain's published key sign from now on; the former one retires. Safe to run twice.

    Where DNS was seen too long ago it is looked up first, and nothing changes yet.
    """
    lock_domain(actor, domain)
    key = DkimKey.objects.filter(domain=domain, state=KeyState.PUBLISHED).first()
    if key is None:
        return None
    if not is_shown(key, now):
        later(CHECK_RECORDS, domain_id=domain.pk)
        return None
    DkimKey.objects.filter(domain=domain, state=KeyState.ACTIVE).update(
        state=KeyState.RETIRING, state_since=now, updated_at=now
    )
    DkimKey.objects.filter(pk=key.pk).update(state=KeyState.ACTIVE, state_since=now, updated_at=now)
    want_tables(domain.domain_name)
    key.refresh_from_db()
    return key


@operation("dkim_keys.withdraw")
def withdraw_key(actor: Actor, *, key: DkimKey, now: datetime) -> DkimKey:
    """Stop signing with a key that DNS has ceased to show. It waits to be shown again, unless another one waits."""
    lock_domain(actor, key.domain)
    _stop_signing(key, now)
    key.refresh_from_db()
    return key


def withdraw_keys(domain: Domain, names: Collection[str], now: datetime) -> None:
    """Let no key sign whose record was taken out at one of these names before `now`. The domain's row is locked."""
    waits = [KeyState.PENDING, KeyState.PUBLISHED]
    for key in DkimKey.objects.filter(domain=domain, state__in=[*waits, KeyState.ACTIVE]).order_by("pk"):
        if dkim_name(key.selector, domain.domain_name) in names:
            _stop_signing(key, now)
            # A pending one too: a check that saw it before may be about to say so.
            DkimKey.objects.filter(pk=key.pk, state__in=waits).update(
                state=KeyState.PENDING, state_since=now, updated_at=now
            )


def _stop_signing(key: DkimKey, now: datetime) -> None:
    waits = DkimKey.objects.next_in_line().filter(domain_id=key.domain_id).exists()
    state = KeyState.RETIRING if waits else KeyState.PENDING
    if DkimKey.objects.filter(pk=key.pk, state=KeyState.ACTIVE).update(state=state, state_since=now, updated_at=now):
        want_tables(key.domain.domain_name)


@operation("dkim_keys.retire")
def retire_key(actor: Actor, *, key: DkimKey, now: datetime) -> DkimKey:
    """Destroy a key whose time is over: its private part is gone for good, and DNS need not show it any more."""
    lock_domain(actor, key.domain)
    if DkimKey.objects.filter(pk=key.pk, state=KeyState.RETIRING, state_since__lte=now - RETIRE_AFTER).exists():
        _retire(key, now)
    key.refresh_from_db()
    return key


def destroy_keys(domain: Domain, now: datetime) -> None:
    """Destroy every key of a domain that was given up or lost; whoever has the name next gets keys of their own.

    Called in the transaction of that change, with the domain's row locked.
    """
    DkimKey.objects.filter(domain=domain).exclude(state=KeyState.RETIRED).update(
        state=KeyState.RETIRED, state_since=now, private_key="", fingerprint="", updated_at=now
    )
    if DkimKey.objects.filter(domain=domain, by_alias=True).exists():
        later(PUBLISH_KEYS, domain_id=domain.pk)
    want_tables(domain.domain_name)


def keys_to_retire(now: datetime) -> list[DkimKey]:
    """Return the keys that have been retiring long enough, of all tenants."""
    with every_tenant("keys retire by the clock"):
        due = DkimKey.objects.filter(
            state=KeyState.RETIRING,
            state_since__lte=now - RETIRE_AFTER,
            domain__deleted_at=None,
            domain__tenant__deleted_at=None,
        )
        return list(due.select_related("domain__tenant").order_by("state_since", "pk"))


def domains_to_rotate(now: datetime) -> list[Domain]:
    """Return the proven domains whose key has signed for `ROTATE_AFTER` and that have no next one, oldest first."""
    with every_tenant("keys are rotated by the clock"):
        waiting = DkimKey.objects.next_in_line().filter(domain=OuterRef("domain"))
        old = DkimKey.objects.filter(
            ~Exists(waiting),
            state=KeyState.ACTIVE,
            state_since__lte=now - ROTATE_AFTER,
            domain__owned_name__isnull=False,
            domain__proof_lapsed_at=None,
            domain__tenant__deleted_at=None,
        )
        keys = old.select_related("domain__tenant").order_by("state_since", "pk")[:MOST_ROTATIONS]
        return [key.domain for key in keys]


def is_shown(key: DkimKey, now: datetime) -> bool:
    """Say whether DNS has shown the key lately."""
    return DnsRecord.objects.filter(
        domain_id=key.domain_id,
        purpose=Purpose.DKIM,
        name=dkim_name(key.selector, key.domain.domain_name),
        status=Status.OK,
        misses=0,
        last_checked_at__gte=now - SIGHT_HOLDS,
    ).exists()


def is_by_alias(domain: Domain) -> bool:
    """Say whether the domain's next key stands behind an alias: as the newest one does; a domain that never had one
    follows the installation's setting."""
    if not key_aliases.is_offered():
        return False
    newest = DkimKey.objects.filter(domain=domain).order_by("-pk").values_list("by_alias", flat=True).first()
    return settings.MAILHOST_DKIM_NEW_DOMAINS == "cname" if newest is None else newest


def _present_key(domain: Domain) -> DkimKey | None:
    keys = DkimKey.objects.filter(domain=domain)
    return keys.signing().first() or keys.next_in_line().first()


def _refuse_second_rotation(domain: Domain) -> None:
    if not domain.has_proof:
        raise Refused(
            "not_verified",
            "",
            _("%(domain_name)s is not verified yet.") % {"domain_name": display_name(domain.domain_name)},
        )
    refuse_frozen(domain)
    if DkimKey.objects.next_in_line().filter(domain=domain).exists():
        raise Refused(
            "rotation_under_way",
            "",
            _("A new key waits already until DNS shows it. One rotation comes after the other."),
        )


def _add_own_key(domain: Domain, pair: dkim.KeyPair, *, by_alias: bool) -> DkimKey:
    now = timezone.now()
    if not by_alias:
        return _add_key(domain, dkim.new_selector(now), pair)
    # Also those that were imported under such a selector before there was a zone for keys.
    rows = DkimKey.objects.filter(domain=domain, selector__in=key_aliases.SELECTORS).order_by("state_since")
    used = [key.selector for key in rows if key.is_shown_in_dns]
    retired = {key.selector: key.state_since for key in rows if not key.is_shown_in_dns}
    selector = key_aliases.free_selector(used, retired, now)
    if not selector:
        text = _(
            "Each of the three names still shows a key. The oldest is free again some days after the last rotation."
        )
        raise Refused("no_free_selector", "", text)
    return _add_key(domain, selector, pair, by_alias=True)


def _add_key(domain: Domain, selector: str, pair: dkim.KeyPair, *, by_alias: bool = False) -> DkimKey:
    key = DkimKey.objects.create(
        domain=domain,
        selector=selector,
        by_alias=by_alias,
        algorithm=dkim.ALGORITHM,
        private_key=dkim.encrypt(pair.private_pem),
        public_key=pair.public_key,
        fingerprint=dkim.fingerprint(pair.private_pem),
    )
    later(REFRESH_RECORDS, domain_id=domain.pk)
    if by_alias:
        later(PUBLISH_KEYS, domain_id=domain.pk)
    return key


def _retire(key: DkimKey, now: datetime) -> None:
    DkimKey.objects.filter(pk=key.pk).update(
        state=KeyState.RETIRED, state_since=now, private_key="", fingerprint="", updated_at=now
    )
    later(REFRESH_RECORDS, domain_id=key.domain_id)
    if key.by_alias:
        later(PUBLISH_KEYS, domain_id=key.domain_id)
    want_tables(key.domain.domain_name)
    key.refresh_from_db()
