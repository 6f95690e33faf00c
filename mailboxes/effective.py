"""What daemons read of mailboxes and aliases follows from their switches, their domain, and their tenant.

A mailbox's tenant that may not sign in does not send either: submission is a sign-in.
An alias is routed while its target takes mail; where the target is no mailbox of ours, `mailboxes.chains` decides.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from mailboxes.chains import follow_chains
from tenants.effective import subtree

MAILBOXES = """
UPDATE mail_mailboxes mailbox
JOIN mail_domains domain ON domain.id = mailbox.domain_id
JOIN tenants_tenant tenant ON tenant.id = domain.tenant_id
SET mailbox.is_active = {works} AND tenant.may_sign_in AND tenant.may_receive,
    mailbox.may_receive = {works} AND mailbox.receives_enabled AND tenant.may_receive,
    mailbox.may_send = {works} AND mailbox.sends_enabled AND tenant.may_send AND tenant.may_sign_in,
    mailbox.may_imap = {works} AND mailbox.imap_enabled AND tenant.may_sign_in,
    mailbox.may_pop3 = {works} AND mailbox.pop3_enabled AND tenant.may_sign_in,
    mailbox.may_managesieve = {works} AND mailbox.managesieve_enabled AND tenant.may_sign_in
WHERE {which}
"""
WORKS = """(
    mailbox.is_enabled AND mailbox.deleted_at IS NULL
    AND domain.is_active AND domain.deleted_at IS NULL AND domain.verified_at IS NOT NULL
)"""

# `source` is the mailbox at the alias's own address: the row is then its own row or one of its forwards.
# A mailbox that takes no mail keeps its own row routed, or the catch-all would take what it should not see.
ROUTED = """(
    domain.is_verified AND CASE
        WHEN alias.own_mailbox_id IS NOT NULL THEN alias.is_enabled OR NOT source.may_receive
        WHEN NOT alias.is_enabled OR source.may_receive = 0 THEN 0
        WHEN target_domain.id IS NULL THEN 1
        WHEN target.id IS NOT NULL THEN target.may_receive
        ELSE alias.is_routed -- mailboxes.chains
    END
)"""
# What the customary alias query returns: it shows a mailbox's own row only while the mailbox works.
ACTIVE = f"""(
    {ROUTED} AND (alias.own_mailbox_id IS NULL OR (alias.is_enabled AND source.is_active AND source.may_receive))
)"""
ALIASES = f"""
UPDATE mail_aliases alias
JOIN ({{which}}) chosen ON chosen.id = alias.id
JOIN mail_domains domain ON domain.id = alias.domain_id
LEFT JOIN mail_mailboxes source ON source.email = alias.alias_email AND source.is_live = 1
LEFT JOIN mail_mailboxes target ON target.id = alias.target_mailbox_id
LEFT JOIN mail_domains target_home ON target_home.id = target.domain_id
LEFT JOIN mail_domains target_domain ON target_domain.owned_name = SUBSTRING_INDEX(alias.destination_email, '@', -1)
SET alias.is_routed = {ROUTED},
    alias.is_active = {ACTIVE},
    alias.may_send_as = COALESCE(
        target.may_send AND target_home.tenant_id = domain.tenant_id AND target.email = alias.destination_email
        AND domain.is_active AND domain.verified_at IS NOT NULL AND alias.alias_email NOT LIKE '@%%'
        AND (alias.own_mailbox_id IS NOT NULL OR alias.is_enabled), 0)
"""  # noqa: S608 - put together from the constants above
OF_SUBTREE = """
SELECT a.id FROM mail_aliases a JOIN mail_domains d ON d.id = a.domain_id
JOIN tenants_tenant t ON t.id = d.tenant_id WHERE {range}
UNION
SELECT a.id FROM mail_aliases a JOIN mail_mailboxes m ON m.id = a.target_mailbox_id
JOIN mail_domains d ON d.id = m.domain_id JOIN tenants_tenant t ON t.id = d.tenant_id WHERE {range}
"""
OF_DOMAIN = """
SELECT a.id FROM mail_aliases a JOIN mail_domains d ON d.id = a.domain_id WHERE d.id = %s OR d.alias_of_id = %s
UNION
SELECT a.id FROM mail_aliases a JOIN mail_mailboxes m ON m.id = a.target_mailbox_id WHERE m.domain_id = %s
"""
OF_ADDRESSES = """
SELECT id FROM mail_aliases WHERE alias_email IN %s
UNION SELECT id FROM mail_aliases WHERE destination_email IN %s
UNION SELECT a.id FROM mail_aliases a JOIN mail_mailboxes m ON m.id = a.target_mailbox_id WHERE m.email IN %s
"""
SOURCES = f"SELECT alias_email FROM mail_aliases alias JOIN ({OF_ADDRESSES}) chosen ON chosen.id = alias.id"  # noqa: S608


def recalculate(tenant_path: str | None = None, domain_id: int | None = None) -> None:
    """Write the effective flags of what is in a subtree's domains, in one domain and its alias domains, or of all."""
    if domain_id is not None:
        _update(MAILBOXES.format(works=WORKS, which="mailbox.domain_id = %s"), [domain_id])
        _update(ALIASES.format(which=OF_DOMAIN), [domain_id] * 3)
    elif tenant_path is not None:
        which, values = subtree("tenant.path", tenant_path)
        _update(MAILBOXES.format(works=WORKS, which=which), values)
        which, values = subtree("t.path", tenant_path)
        _update(ALIASES.format(which=OF_SUBTREE.format(range=which)), values * 2)
    else:
        _update(MAILBOXES.format(works=WORKS, which="TRUE"), [])
        _update(ALIASES.format(which="SELECT id FROM mail_aliases"), [])
    follow_chains(None)


def recalculate_addresses(addresses: Iterable[str]) -> None:
    """Write the effective flags of the mailboxes and aliases at these addresses, and of whatever points to them."""
    chosen = tuple(sorted(set(addresses)))
    if not chosen:
        return
    _update(MAILBOXES.format(works=WORKS, which="mailbox.email IN %s"), [chosen])
    _update(ALIASES.format(which=OF_ADDRESSES), [chosen] * 3)
    with connection.cursor() as cursor:
        cursor.execute(SOURCES, [chosen] * 3)
        follow_chains({*chosen, *(source for (source,) in cursor.fetchall())})


def _update(sql: str, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
