"""Aliases that lead to an address know the mailbox that has it; those of any tenant wait for one that comes."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from django.db.models import Q

from mailboxes.addresses import DELIMITER, base_address, domain_of, local_of
from mailboxes.models import Alias
from mailhost.scope import every_tenant

# Addresses asked for in one statement; each is two ranges of an index.
AT_ONCE = 250


def lead_to(mailboxes: Mapping[str, int | None], now: datetime) -> set[str]:
    """Let every alias with one of these addresses as target know its mailbox, or that there is none any more; return
    those aliases' addresses. Targets with a detail (anna+news@…) are read by the mailbox too."""
    sources = set()
    addresses = iter(sorted(mailboxes))
    with every_tenant("aliases of any tenant may lead to a mailbox"):
        while chosen := list(islice(addresses, AT_ONCE)):
            found = Alias.objects.filter(_leads_to(chosen), own_mailbox=None)
            rows = defaultdict(list)
            for pk, source, target in found.values_list("pk", "alias_email", "destination_email"):
                sources.add(source)
                rows[mailboxes[base_address(target)]].append(pk)
            for mailbox_id, pks in rows.items():
                Alias.objects.filter(pk__in=pks).update(target_mailbox_id=mailbox_id, updated_at=now)
    return sources


def _leads_to(addresses: list[str]) -> Q:
    wanted = Q(destination_email__in=addresses)
    for address in addresses:
        local = local_of(address)
        wanted |= Q(
            # A range that the index serves: "," follows "+".
            destination_email__gt=f"{local}{DELIMITER}",
            destination_email__lt=f"{local}{chr(ord(DELIMITER) + 1)}",
            destination_email__endswith=f"@{domain_of(address)}",
        )
    return wanted
