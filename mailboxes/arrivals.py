"""What a new address meets, asked in one statement: whether somebody has it, and whether anything must follow it."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from domains.models import Domain
from mailboxes.addresses import DELIMITER, domain_of, local_of

# Each part is one probe or one range of an index. The aliases that wait are those of mailboxes.waiting.
MEETS = """
SELECT IF(own_mailbox_id IS NULL, 'alias', 'mailbox') FROM mail_aliases WHERE alias_email = %s
UNION SELECT 'waiting' FROM mail_aliases WHERE destination_email = %s
UNION SELECT 'waiting' FROM mail_aliases
  WHERE destination_email > %s AND destination_email < %s AND destination_email LIKE BINARY %s
UNION SELECT 'repeated' FROM mail_domains WHERE alias_of_id = %s AND is_live = 1
UNION SELECT 'used' FROM mail_quota_usage WHERE username = %s
UNION SELECT 'held' FROM mail_mailboxes WHERE email = %s
UNION SELECT 'held' FROM mail_former_addresses WHERE digest = %s
"""
# The same of many addresses.
LEFT = """
SELECT 'held', email FROM mail_mailboxes WHERE email IN %s
UNION SELECT 'held', digest FROM mail_former_addresses WHERE digest IN %s
UNION SELECT 'used', username FROM mail_quota_usage WHERE username IN %s
"""


@dataclass(frozen=True)
class Meeting:
    """`is_mailbox`, `is_alias`: what the address is already. `is_awaited`: aliases lead to it, or alias domains repeat
    it. `was_used`: Dovecot has a figure of a former mailbox. `was_held`: a mailbox, anybody's, has or had this address.
    """

    is_mailbox: bool
    is_alias: bool
    is_awaited: bool
    was_used: bool
    was_held: bool


def meet(address: str, domain: Domain) -> Meeting:
    """Return what an address meets in its domain, which is locked: nothing of it changes meanwhile."""
    values = [address, address, *details_of(address), domain.pk, address, address, digest_of(address)]
    with connection.cursor() as cursor:
        cursor.execute(MEETS, values)
        found = {kind for (kind,) in cursor.fetchall()}
    return Meeting(
        is_mailbox="mailbox" in found,
        is_alias="alias" in found,
        is_awaited=bool(found & {"waiting", "repeated"}),
        was_used="used" in found,
        was_held="held" in found,
    )


def left_behind(addresses: Collection[str]) -> tuple[set[str], set[str]]:
    """Return those addresses that were held and those that were used, as a `Meeting` says it of one."""
    by_digest = {digest_of(address): address for address in addresses}
    found: dict[str, set[str]] = {"held": set(), "used": set()}
    if by_digest:
        chosen = tuple(by_digest.values())
        with connection.cursor() as cursor:
            cursor.execute(LEFT, [chosen, tuple(by_digest), chosen])
            for kind, value in cursor.fetchall():
                found[kind].add(by_digest.get(value, value))
    return found["held"], found["used"]


def digest_of(address: str) -> str:
    """Return what `FormerAddress` keeps of an address."""
    return sha256(address.encode()).hexdigest()


def details_of(address: str) -> list[str]:
    """Return the range of an index that holds this address with a detail (anna+news@…), and what is LIKE one there."""
    local = local_of(address)
    wildcard = "%@" + domain_of(address).replace("_", r"\_")
    return [f"{local}{DELIMITER}", f"{local}{chr(ord(DELIMITER) + 1)}", wildcard]
