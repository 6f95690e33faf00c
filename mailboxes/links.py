"""Reading the aliases that an alias leads to, of whatever tenant, so that no circle closes."""

from collections import defaultdict

from mailboxes.models import Alias
from mailhost.scope import every_tenant


def targets_of(addresses: set[str]) -> dict[str, set[str]]:
    """Return the targets of each address that is an alias, locking those rows.

    Whoever writes an alias writes first and walks then. Of two that would close a circle together, the later walker
    meets the other's row and waits for it, or the database ends one of the two as a deadlock.
    """
    links: dict[str, set[str]] = defaultdict(set)
    with every_tenant("a circle of aliases may pass through any tenant"):
        rows = Alias.objects.select_for_update().filter(alias_email__in=addresses, own_mailbox=None)
        for source, target in rows.order_by("pk").values_list("alias_email", "destination_email"):
            links[source].add(target)
    return links
