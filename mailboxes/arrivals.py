"""What new addresses meet, asked in one statement: whether somebody has them, and whether anything must follow them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from mailboxes.addresses import DELIMITER, base_address, domain_of, local_of

# Each part is a probe or a range of an index for each address. The aliases that wait are those of mailboxes.waiting.
MEETS = """
SELECT IF(own_mailbox_id IS NOT NULL, 'mailbox', IF(is_denial, 'denial', 'alias')), alias_email, NULL
  FROM mail_aliases WHERE alias_email IN %s
UNION SELECT 'waiting', destination_email, NULL FROM mail_aliases WHERE destination_email IN %s
UNION SELECT 'waiting', destination_email, NULL FROM mail_aliases WHERE {with_detail}
UNION SELECT 'repeated', NULL, alias_of_id FROM mail_domains WHERE alias_of_id IN %s AND is_live = 1
UNION SELECT 'used', username, NULL FROM mail_quota_usage WHERE username IN %s
UNION SELECT 'held', email, NULL FROM mail_mailboxes WHERE email IN %s
UNION SELECT 'held', digest, NULL FROM mail_former_addresses WHERE digest IN %s
"""
WITH_DETAIL = "(destination_email > %s AND destination_email < %s AND destination_email LIKE BINARY %s)"


@dataclass(frozen=True)
class Meeting:
    """`is_mailbox`, `is_alias`, `is_denied`: what the address is already. `is_awaited`: aliases lead to it, or alias
    domains repeat it. `was_used`: Dovecot has a figure of a former mailbox. `was_held`: a mailbox, anybody's, has or
    had this address.
    """

    is_mailbox: bool
    is_alias: bool
    is_denied: bool
    is_awaited: bool
    was_used: bool
    was_held: bool


def meet(addresses: Mapping[str, int]) -> dict[str, Meeting]:
    """Return what each of these addresses meets, given with the ids of their domains, which are locked: nothing of it
    changes meanwhile."""
    if not addresses:
        return {}
    chosen, homes = tuple(addresses), tuple(set(addresses.values()))
    by_digest = {digest_of(address): address for address in addresses}
    ranges = [bound for address in addresses for bound in details_of(address)]
    sql = MEETS.format(with_detail=" OR ".join([WITH_DETAIL] * len(addresses)))
    found = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(sql, [chosen, chosen, *ranges, homes, chosen, chosen, tuple(by_digest)])
        for kind, value, domain_id in cursor.fetchall():
            found[kind].add(domain_id if value is None else by_digest.get(value) or base_address(value))
    return {
        address: Meeting(
            is_mailbox=address in found["mailbox"],
            is_alias=address in found["alias"],
            is_denied=address in found["denial"],
            is_awaited=address in found["waiting"] or domain_id in found["repeated"],
            was_used=address in found["used"],
            was_held=address in found["held"],
        )
        for address, domain_id in addresses.items()
    }


def digest_of(address: str) -> str:
    """Return what `FormerAddress` keeps of an address."""
    return sha256(address.encode()).hexdigest()


def details_of(address: str) -> list[str]:
    """Return the range of an index that holds this address with a detail (anna+news@…), and what is LIKE one there."""
    local = local_of(address)
    wildcard = "%@" + domain_of(address).replace("_", r"\_")
    return [f"{local}{DELIMITER}", f"{local}{chr(ord(DELIMITER) + 1)}", wildcard]
