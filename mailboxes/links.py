"""Reading the aliases that an alias leads to, of whatever tenant, so that no circle closes."""

from collections import defaultdict

from mailboxes.addresses import domain_of
from mailboxes.models import Alias
from mailhost.scope import every_tenant


def targets_of(addresses: set[str]) -> dict[str, set[str]]:
    """Return where mail for each address goes next, locking the rows that say so: to the alias's targets, or to
    the catch-all of its domain when it is in no row.

    Whoever writes an alias writes first and walks then. Of two that would close a circle together, the later walker
    meets the other's row and waits for it, or the database ends one of the two as a deadlock.
    """
    links: dict[str, set[str]] = defaultdict(set)
    with every_tenant("a circle of aliases may pass through any tenant"):
        catch_alls = {f"@{domain_of(address)}" for address in addresses}
        rows = Alias.objects.select_for_update().filter(alias_email__in=addresses | catch_alls).order_by("pk")
        columns = ("alias_email", "destination_email", "own_mailbox", "is_denial")
        for source, target, own_mailbox, is_denial in rows.values_list(*columns):
            # A mailbox's own row ends there, as does a denial; they are named so that no catch-all is asked.
            links[source] |= set() if own_mailbox or is_denial else {target}
    present = links.keys()
    for address in addresses - present:
        if f"@{domain_of(address)}" in present:
            links[address].add(f"@{domain_of(address)}")
    return links
