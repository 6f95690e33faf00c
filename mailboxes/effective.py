"""What daemons read of mailboxes and aliases follows from their switches, their domain, and their tenant.

A mailbox's tenant that may not sign in does not send either: submission is a sign-in.
An alias is routed while its target takes mail; where the target is no mailbox of ours, `mailboxes.chains` decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from domains.models import Domain
from mailboxes.addresses import base_address, domain_of
from mailboxes.alias_arrivals import AliasMeeting
from mailboxes.chains import Link, follow_chains, settle
from mailboxes.models import Alias, Mailbox
from tenants.effective import subtree

# The order of joins is fixed, and so are their indexes: right after an import the optimizer knows nothing about these
# tables and would read them whole for one address, and a small table it reads whole anyway. An UPDATE locks what it
# reads, so two tenants' changes would then wait for each other in a circle.
# NO_MERGE: MySQL may not read the table it updates, unless the rows chosen are put down first (error 1093).
MAILBOXES = """
UPDATE /*+ NO_MERGE(chosen) */ ({which}) chosen
STRAIGHT_JOIN mail_mailboxes mailbox FORCE INDEX (PRIMARY) ON mailbox.id = chosen.id
STRAIGHT_JOIN mail_domains domain FORCE INDEX (PRIMARY) ON domain.id = mailbox.domain_id
STRAIGHT_JOIN tenants_tenant tenant FORCE INDEX (PRIMARY) ON tenant.id = domain.tenant_id
SET mailbox.is_active = {works} AND tenant.may_sign_in AND tenant.may_receive,
    mailbox.may_receive = {works} AND mailbox.receives_enabled AND tenant.may_receive,
    mailbox.may_smtp = {works} AND mailbox.sends_enabled AND tenant.may_send AND tenant.may_sign_in,
    mailbox.may_imap = {works} AND mailbox.imap_enabled AND tenant.may_sign_in,
    mailbox.may_pop3 = {works} AND mailbox.pop3_enabled AND tenant.may_sign_in,
    mailbox.may_sieve = {works} AND mailbox.managesieve_enabled AND tenant.may_sign_in
"""
MAILBOXES_OF = {
    "subtree": """
        SELECT m.id FROM tenants_tenant t JOIN mail_domains d ON d.tenant_id = t.id
        JOIN mail_mailboxes m ON m.domain_id = d.id WHERE {range}""",
    "domain": "SELECT id FROM mail_mailboxes WHERE domain_id = %s",
    "addresses": "SELECT id FROM mail_mailboxes WHERE email IN %s",
    "all": "SELECT id FROM mail_mailboxes",
}
WORKS = """(
    mailbox.is_enabled AND mailbox.deleted_at IS NULL
    AND domain.is_active AND domain.deleted_at IS NULL AND domain.verified_at IS NOT NULL
)"""

# How a mailbox stands in an alias domain (mailboxes.mirror).
REPEATED_MAILBOX = """(
    target.domain_id = domain.alias_of_id AND target.email = alias.destination_email
    AND SUBSTRING_INDEX(alias.alias_email, '@', 1) = SUBSTRING_INDEX(target.email, '@', 1)
)"""
# `source` is the mailbox at the alias's own address: the row is then its own row or one of its forwards.
# A mailbox that takes no mail keeps its own row routed, in alias domains too, or the catch-all would take what it
# should not see.
ROUTED = f"""(
    domain.is_verified AND CASE
        WHEN alias.is_denial THEN 1
        WHEN alias.own_mailbox_id IS NOT NULL THEN alias.is_enabled OR NOT source.may_receive -- and OWN_ROWS
        WHEN {REPEATED_MAILBOX} THEN 1
        WHEN NOT alias.is_enabled OR source.may_receive = 0 THEN 0
        WHEN target_domain.id IS NULL THEN 1
        WHEN target.id IS NOT NULL THEN target.may_receive
        ELSE alias.is_routed -- mailboxes.chains
    END
)"""
# What the customary alias query returns: it shows the rows of a mailbox's address only while the mailbox works.
ACTIVE = f"""(
    {ROUTED} AND NOT alias.is_denial AND CASE
        WHEN alias.own_mailbox_id IS NOT NULL THEN alias.is_enabled AND source.is_active AND source.may_receive
        ELSE COALESCE(target.may_receive, 1)
    END
)"""
ALIASES = f"""
UPDATE /*+ NO_MERGE(chosen) */ ({{which}}) chosen
STRAIGHT_JOIN mail_aliases alias FORCE INDEX (PRIMARY) ON alias.id = chosen.id
STRAIGHT_JOIN mail_domains domain FORCE INDEX (PRIMARY) ON domain.id = alias.domain_id
LEFT JOIN mail_mailboxes source FORCE INDEX (mailbox_one_live)
  ON source.email = alias.alias_email AND source.is_live = 1
LEFT JOIN mail_mailboxes target FORCE INDEX (PRIMARY) ON target.id = alias.target_mailbox_id
LEFT JOIN mail_domains target_home FORCE INDEX (PRIMARY) ON target_home.id = target.domain_id
LEFT JOIN mail_domains target_domain FORCE INDEX (domain_one_owner)
  ON target_domain.owned_name = SUBSTRING_INDEX(alias.destination_email, '@', -1)
SET alias.is_routed = {ROUTED},
    alias.is_active = {ACTIVE},
    alias.may_send_as = COALESCE(
        target.may_smtp AND target_home.tenant_id = domain.tenant_id AND target.email = alias.destination_email
        AND domain.is_active AND domain.verified_at IS NOT NULL AND alias.alias_email NOT LIKE '@%%'
        AND (alias.own_mailbox_id IS NOT NULL OR alias.is_enabled), 0)
"""  # noqa: S608 - put together from the constants above
ALIASES_OF = {
    "subtree": """
        SELECT a.id FROM tenants_tenant t JOIN mail_domains d ON d.tenant_id = t.id
        JOIN mail_aliases a ON a.domain_id = d.id WHERE {range}
        UNION
        SELECT a.id FROM tenants_tenant t JOIN mail_domains d ON d.tenant_id = t.id
        JOIN mail_mailboxes m ON m.domain_id = d.id JOIN mail_aliases a ON a.target_mailbox_id = m.id WHERE {range}""",
    "domain": """
        SELECT a.id FROM mail_domains d JOIN mail_aliases a ON a.domain_id = d.id WHERE d.id = %s OR d.alias_of_id = %s
        UNION
        SELECT a.id FROM mail_mailboxes m JOIN mail_aliases a ON a.target_mailbox_id = m.id WHERE m.domain_id = %s""",
    "addresses": """
        SELECT id FROM mail_aliases WHERE alias_email IN %s
        UNION SELECT id FROM mail_aliases WHERE destination_email IN %s
        UNION
        SELECT a.id FROM mail_mailboxes m JOIN mail_aliases a ON a.target_mailbox_id = m.id WHERE m.email IN %s""",
    "all": "SELECT id FROM mail_aliases",
}
# A mailbox whose mail goes on without a copy keeps it while nobody takes it: without a routed row of its address,
# Postfix would ask the catch-all. Decided last, when it is known which forwards are routed.
OWN_ROWS = """
UPDATE /*+ NO_MERGE(chosen) */ ({which}) chosen
STRAIGHT_JOIN mail_aliases changed
    ON changed.id = chosen.id AND (changed.own_mailbox_id IS NULL OR NOT changed.is_enabled)
STRAIGHT_JOIN mail_aliases alias
    ON alias.alias_email = changed.alias_email AND alias.own_mailbox_id IS NOT NULL AND NOT alias.is_enabled
STRAIGHT_JOIN mail_mailboxes source FORCE INDEX (PRIMARY) ON source.id = alias.own_mailbox_id
STRAIGHT_JOIN mail_domains domain FORCE INDEX (PRIMARY) ON domain.id = alias.domain_id
LEFT JOIN mail_aliases forward ON forward.routed_email = alias.alias_email AND forward.own_mailbox_id IS NULL
SET alias.is_routed = domain.is_verified AND (forward.id IS NULL OR NOT source.may_receive),
    alias.is_active = domain.is_verified AND forward.id IS NULL AND source.is_active AND source.may_receive
"""
AT = "SELECT id FROM mail_aliases WHERE alias_email IN %s"
# Few mailboxes go without a copy, and a SELECT that finds none leaves a suspension with one UPDATE of this table.
WITHOUT_COPY = """
SELECT own.alias_email FROM ({which}) chosen
STRAIGHT_JOIN mail_aliases changed
    ON changed.id = chosen.id AND (changed.own_mailbox_id IS NULL OR NOT changed.is_enabled)
STRAIGHT_JOIN mail_aliases own
    ON own.alias_email = changed.alias_email AND own.own_mailbox_id IS NOT NULL AND NOT own.is_enabled
"""
SOURCES = "SELECT alias.alias_email FROM ({which}) chosen STRAIGHT_JOIN mail_aliases alias ON alias.id = chosen.id"


def recalculate(tenant_path: str | None = None, domain_id: int | None = None) -> None:
    """Write the effective flags of what is in a subtree's domains, in one domain and its alias domains, or of all."""
    if domain_id is not None:
        mailboxes, aliases, values = MAILBOXES_OF["domain"], ALIASES_OF["domain"], [domain_id]
    elif tenant_path is not None:
        which, values = subtree("t.path", tenant_path)
        mailboxes, aliases = (those["subtree"].format(range=which) for those in (MAILBOXES_OF, ALIASES_OF))
    else:
        mailboxes, aliases, values = MAILBOXES_OF["all"], ALIASES_OF["all"], []
    _update(MAILBOXES.format(works=WORKS, which=mailboxes), values)
    values = values * (aliases.count("%s") // max(len(values), 1))
    _update(ALIASES.format(which=aliases), values)
    changed = follow_chains(None)
    _route_own_rows(changed | _column(WITHOUT_COPY.format(which=aliases), values))


def recalculate_addresses(addresses: Iterable[str]) -> None:
    """Write the effective flags of the mailboxes and aliases at these addresses, and of whatever points to them."""
    chosen = tuple(sorted(set(addresses)))
    if not chosen:
        return
    _update(MAILBOXES.format(works=WORKS, which=MAILBOXES_OF["addresses"]), [chosen])
    _update(ALIASES.format(which=ALIASES_OF["addresses"]), [chosen] * 3)
    sources = {*chosen, *_column(SOURCES.format(which=ALIASES_OF["addresses"]), [chosen] * 3)}
    _route_own_rows(sources | follow_chains(sources))


def flags_of_new(mailbox: Mailbox) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return what the UPDATEs above would write of a mailbox that is just made, and of its own row, where no alias
    leads to its address and no alias domain repeats it. Its domain is locked, and knows how its tenant stands."""
    domain, owner = mailbox.domain, mailbox.domain.owner
    works = mailbox.is_enabled and domain.is_active and domain.deleted_at is None and domain.verified_at is not None
    signs_in = works and owner.may_sign_in
    flags = {
        "is_active": signs_in and owner.may_receive,
        "may_receive": works and mailbox.receives_enabled and owner.may_receive,
        "may_smtp": signs_in and mailbox.sends_enabled and owner.may_send,
        "may_imap": signs_in and mailbox.imap_enabled,
        "may_pop3": signs_in and mailbox.pop3_enabled,
        "may_sieve": signs_in and mailbox.managesieve_enabled,
    }
    own_row = {
        "is_routed": domain.is_verified,
        "is_active": domain.is_verified and flags["is_active"] and flags["may_receive"],
        "may_send_as": flags["may_smtp"],
    }
    return flags, own_row


def flags_of_new_aliases(
    rows: Sequence[Alias], homes: Mapping[str, Domain], met: AliasMeeting
) -> list[dict[str, bool]]:
    """The same of the rows of an alias that is just made and stands alone. `homes` are this server's domains at its
    targets; they are locked, as the alias's own domain is."""
    flags, links = [], []
    for number, row in enumerate(rows):
        domain, home = row.domain, homes.get(domain_of(row.destination_email))
        reader = met.readers.get(base_address(row.destination_email))
        may = domain.is_verified and (home is None or home.is_verified)
        if reader is None:
            links.append(Link(-number, row.alias_email, row.destination_email, home is not None, may, is_routed=False))
            flags.append({"may_send_as": False})
            continue
        is_routed = domain.is_verified and (home is None or bool(reader.may_receive))
        sends = reader.may_smtp and reader.tenant_id == domain.tenant_id and domain.is_active and domain.has_proof
        flags.append(
            {
                "is_routed": is_routed,
                "is_active": is_routed and bool(reader.may_receive),
                "may_send_as": bool(sends) and row.destination_email == base_address(row.destination_email),
            }
        )
    routed = settle(links, met.answers)
    for link in links:
        flags[-link.id] |= dict.fromkeys(("is_routed", "is_active"), link.id in routed)
    return flags


def _route_own_rows(addresses: set[str]) -> None:
    if addresses:
        _update(OWN_ROWS.format(which=AT), [tuple(sorted(addresses))])


def _column(sql: str, values: Sequence[Any]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {value for (value,) in cursor.fetchall()}


def _update(sql: str, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
