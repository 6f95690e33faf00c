"""What a new address meets, asked in one statement: whether somebody has it, and whether anything must follow it."""

from dataclasses import dataclass

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
"""


@dataclass(frozen=True)
class Meeting:
    """`is_mailbox`, `is_alias`: what the address is already. `is_awaited`: aliases lead to it, or alias domains repeat
    it. `was_used`: Dovecot has a figure of a former mailbox."""

    is_mailbox: bool
    is_alias: bool
    is_awaited: bool
    was_used: bool


def meet(address: str, domain: Domain) -> Meeting:
    """Return what an address meets in its domain, which is locked: nothing of it changes meanwhile."""
    local = local_of(address)
    wildcard = "%@" + domain_of(address).replace("_", r"\_")
    ranged = [f"{local}{DELIMITER}", f"{local}{chr(ord(DELIMITER) + 1)}", wildcard]
    with connection.cursor() as cursor:
        cursor.execute(MEETS, [address, address, *ranged, domain.pk, address])
        found = {kind for (kind,) in cursor.fetchall()}
    return Meeting("mailbox" in found, "alias" in found, bool(found & {"waiting", "repeated"}), "used" in found)
