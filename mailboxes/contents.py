"""What happens to a domain's mailboxes and aliases when the domain itself changes (called by domains.operations)."""

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from domains.models import Domain
from mailboxes import mirror
from mailboxes.expansion import refuse_loops, unfold
from mailboxes.links import targets_of
from mailboxes.models import Alias, Mailbox
from mailboxes.ownership import own_addresses
from mailhost.scope import every_tenant


def empty_domain(domain: Domain, now: datetime) -> dict[str, int]:
    """Delete the mailboxes of a domain that is being deleted (their rows and mail stay), and its aliases for good.

    Aliases elsewhere that lead to its mailboxes lead to plain addresses from now on. Returns what is free again of
    the tenant's limits.
    """
    freed = in_use(domain.pk)
    Mailbox.objects.live().filter(domain_id=domain.pk).update(deleted_at=now, updated_at=now)
    Alias.objects.filter(domain_id=domain.pk).delete()
    with every_tenant("aliases of any tenant may lead to a mailbox that goes"):
        targets = Mailbox.objects.filter(domain_id=domain.pk)
        Alias.objects.filter(target_mailbox__in=targets).update(
            target_mailbox=None, may_send_as=False, updated_at=timezone.now()
        )
    return freed


def in_use(domain_id: int) -> dict[str, int]:
    """Return what a domain's mailboxes and aliases take of the limits of its tenant. A source is one alias."""
    mailboxes = Mailbox.objects.filter(domain_id=domain_id, is_live=1)
    aliases = Alias.objects.written().filter(domain_id=domain_id)
    return {
        **mailboxes.aggregate(mailboxes=Count("pk"), storage_mb=Coalesce(Sum("storage_quota"), 0)),
        **aliases.aggregate(aliases=Count("alias_email", distinct=True)),
    }


def follow_main_domain(domain: Domain) -> None:
    """Give a freshly proven alias domain its rows. Raises Refused when mail would then go in circles."""
    mirror.follow_domain(domain.alias_of_id)
    # A mailbox that forwards nothing is an end; the rows that lead to one need no walk each.
    with every_tenant("the mailbox that a row leads to may be anybody's"):
        forwards = Alias.objects.filter(alias_email=OuterRef("destination_email"), own_mailbox=None)
        rows = Alias.objects.filter(Q(target_mailbox=None) | Exists(forwards), domain_id=domain.pk)
        sources = set(rows.values_list("alias_email", flat=True))
    for source in sorted(sources):
        refuse_loops([source], unfold([source], targets_of), own_addresses)
