"""Alias domains: each address of the main domain is an address of the alias domain too.

The rows of an alias domain are those of its main domain under the other name, so Postfix answers for it with the
same single probe, refuses what does not exist, and knows who may send as it. They are made from the main domain's
rows as a set, in the transaction of the change, and never written by hand. A mailbox stands there as one row that
leads to it; its forwards are found from there. An alias domain without proof has no rows.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from domains.names import display_name
from mailboxes.addresses import MAX_ADDRESS, display_address
from mailhost.errors import Refused
from mailhost.said import gettext as _

# What of the main domain's rows is repeated: all but the forwards of mailboxes.
WANTED = """
    mail_aliases original
    JOIN mail_domains alias_domain ON alias_domain.alias_of_id = original.domain_id
    LEFT JOIN mail_mailboxes mailbox ON mailbox.email = original.alias_email AND mailbox.is_live = 1
    WHERE original.domain_id = %s AND alias_domain.owned_name IS NOT NULL
      AND (original.own_mailbox_id IS NOT NULL OR mailbox.id IS NULL)
"""
INSERT = f"""
INSERT INTO mail_aliases (uid, domain_id, tenant_id, alias_email, destination_email, target_mailbox_id, is_enabled,
                          is_denial, is_active, is_routed, may_send_as, created_at, updated_at)
SELECT LOWER(HEX(RANDOM_BYTES(10))), alias_domain.id, alias_domain.tenant_id,
       CONCAT(SUBSTRING_INDEX(original.alias_email, '@', 1), '@', alias_domain.domain_name),
       original.destination_email, original.target_mailbox_id,
       original.is_enabled OR original.own_mailbox_id IS NOT NULL, original.is_denial, 0, 0, 0, %s, %s
FROM {WANTED} {{among}}
ON DUPLICATE KEY UPDATE is_enabled = VALUES(is_enabled), target_mailbox_id = VALUES(target_mailbox_id)
"""  # noqa: S608 - put together from the constant above
TOO_LONG = f"""
SELECT original.alias_email, alias_domain.domain_name
FROM {WANTED} {{among}}
  AND LENGTH(SUBSTRING_INDEX(original.alias_email, '@', 1)) + 1 + LENGTH(alias_domain.domain_name) > {MAX_ADDRESS}
ORDER BY original.alias_email LIMIT 1
"""  # noqa: S608 - put together from the constants above
# A mailbox's own row has its address as target, and so has its repetition.
DELETE = """
DELETE repeated FROM mail_aliases repeated
JOIN mail_domains alias_domain ON alias_domain.id = repeated.domain_id
JOIN mail_domains main ON main.id = alias_domain.alias_of_id
LEFT JOIN mail_aliases original
  ON original.alias_email = CONCAT(SUBSTRING_INDEX(repeated.alias_email, '@', 1), '@', main.domain_name)
 AND original.destination_email = repeated.destination_email AND original.domain_id = main.id
LEFT JOIN mail_mailboxes mailbox ON mailbox.email = original.alias_email AND mailbox.is_live = 1
WHERE main.id = %s {among}
  AND (original.id IS NULL OR alias_domain.owned_name IS NULL
       OR (original.own_mailbox_id IS NULL AND mailbox.id IS NOT NULL))
"""


def follow_domain(domain_id: int) -> None:
    """Make the rows of all alias domains of this main domain follow its own. Raises Refused: address_too_long."""
    now = timezone.now()
    _refuse_too_long("", [domain_id])
    _run(DELETE.format(among=""), [domain_id])
    _run(INSERT.format(among=""), [now, now, domain_id])


def follow_addresses(domain_id: int, addresses: Iterable[str]) -> set[str]:
    """The same for some addresses of the main domain. Returns these addresses together with their repetitions.

    Raises Refused: address_too_long.
    """
    chosen = tuple(sorted(set(addresses)))
    names = _alias_names(domain_id)
    if not names:
        return set(chosen)
    _refuse_too_long("AND original.alias_email IN %s", [domain_id, chosen])
    repeated = tuple(f"{address.rpartition('@')[0]}@{name}" for address in chosen for name in names)
    now = timezone.now()
    _run(DELETE.format(among="AND repeated.alias_email IN %s"), [domain_id, repeated])
    _run(INSERT.format(among="AND original.alias_email IN %s"), [now, now, domain_id, chosen])
    return {*chosen, *repeated}


def _alias_names(domain_id: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT domain_name FROM mail_domains WHERE alias_of_id = %s AND is_live = 1", [domain_id])
        return [name for (name,) in cursor.fetchall()]


def _refuse_too_long(among: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TOO_LONG.format(among=among), values)
        found = cursor.fetchone()
    if found:
        address, name = found
        raise Refused(
            "address_too_long",
            "",
            _(
                "%(address)s would have more than %(max_address)s characters under the alias domain "
                "%(name)s. Choose a shorter name."
            )
            % {"address": display_address(address), "max_address": MAX_ADDRESS, "name": display_name(name)},
        )


def _run(sql: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
