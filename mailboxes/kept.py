"""What is kept of a removed domain's aliases until its grace is over (called by `domains.removal_operations`).

Not in their own table: there a row of a domain that may be somebody else's by now would stand in the next one's way.
Moved as a set, in the transaction of the removal or the restoration.
"""

from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from domains.models import Domain
from mailboxes import mirror
from mailboxes.addresses import domain_of
from mailboxes.contents import in_use
from mailboxes.expansion import refuse_loops, unfold
from mailboxes.links import targets_of
from mailboxes.models import Alias, KeptAlias, Mailbox, QuotaUsage
from mailboxes.ownership import own_addresses
from mailboxes.waiting import lead_to
from mailhost.scope import every_tenant

KEEP = """
INSERT INTO mail_kept_aliases
  (uid, domain_id, alias_email, destination_email, own_mailbox_id, queued_as, is_enabled, is_denial, created_at)
SELECT uid, domain_id, alias_email, destination_email, own_mailbox_id, queued_as, is_enabled, is_denial, created_at
FROM mail_aliases WHERE domain_id = %s ORDER BY id
"""
# In their order, because an alias goes by the id of its oldest row. What belongs to a mailbox comes back with it alone;
# a target with a detail (anna+news@…) is read by the mailbox too.
BRING_BACK = """
INSERT INTO mail_aliases
  (uid, domain_id, tenant_id, alias_email, destination_email, own_mailbox_id, target_mailbox_id, queued_as, is_enabled,
   is_denial, is_active, is_routed, may_send_as, created_at, updated_at)
SELECT kept.uid, kept.domain_id, domain.tenant_id, kept.alias_email, kept.destination_email, kept.own_mailbox_id,
   target.id, kept.queued_as, kept.is_enabled, kept.is_denial, 0, 0, 0, kept.created_at, %s
FROM mail_kept_aliases kept
JOIN mail_domains domain ON domain.id = kept.domain_id
LEFT JOIN mail_mailboxes own ON own.id = kept.own_mailbox_id
LEFT JOIN mail_mailboxes target ON target.live_email = CONCAT(
  SUBSTRING_INDEX(SUBSTRING_INDEX(kept.destination_email, '@', 1), '+', 1), '@',
  SUBSTRING_INDEX(kept.destination_email, '@', -1))
WHERE kept.domain_id = %s
  AND (own.id IS NULL OR (own.deleted_at IS NULL AND own.domain_id = kept.domain_id))
ORDER BY kept.id
"""


def keep(domain: Domain) -> None:
    """Put aside the aliases of a domain that is being removed. Those of an alias domain follow its main domain's."""
    if domain.alias_of_id is None:
        _run(KEEP, [domain.pk])


def bring_back(domain: Domain, removed_at: datetime, now: datetime) -> dict[str, int]:
    """Give a restored domain the mailboxes that were deleted with it, and what was kept of its aliases.

    Returns what that takes of the tenant's limits. Raises Refused: alias_loop, alias_too_deep, too_many_targets.
    """
    if domain.alias_of_id is not None:
        mirror.follow_domain(domain.alias_of_id)
        return {}
    mailboxes = Mailbox.objects.filter(domain=domain, deleted_at=removed_at)
    found = dict(mailboxes.values_list("email", "pk"))
    # Dovecot's figures stand under addresses, which others may have had meanwhile.
    QuotaUsage.objects.filter(username__in=mailboxes.values("email")).delete()
    mailboxes.update(deleted_at=None, updated_at=now)
    _run(BRING_BACK, [now, domain.pk])
    KeptAlias.objects.filter(domain=domain).delete()
    lead_to(found, now)
    _refuse_loops(domain)
    return in_use(domain.pk)


def forget(removed_before: datetime) -> None:
    """Forget the aliases of domains that were removed so long ago that nobody can restore them."""
    KeptAlias.objects.filter(domain__deleted_at__lte=removed_before).delete()


def _refuse_loops(domain: Domain) -> None:
    """Aliases elsewhere may have come to lead here meanwhile. A circle within the domain was there before and is not
    routed: that of a catch-all whose mailbox was deleted."""

    def within(circle: list[str]) -> bool:
        return {domain_of(address) for address in circle} == {domain.domain_name}

    with every_tenant("a circle of aliases may pass through any tenant"):
        forwards = Alias.objects.filter(alias_email=OuterRef("destination_email"), own_mailbox=None)
        rows = Alias.objects.filter(Q(target_mailbox=None) | Exists(forwards), domain=domain, is_denial=False)
        sources = sorted(set(rows.filter(own_mailbox=None).values_list("alias_email", flat=True)))
    for source in sources:
        refuse_loops([source], unfold([source], targets_of), own_addresses, within)


def _run(sql: str, values: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
