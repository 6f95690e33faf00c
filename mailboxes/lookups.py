"""Every question a mail daemon asks of our tables, in one place.

From this list are made: Postfix's lookup files, Dovecot's queries, the database users' grants, the tests of the
contract, the bench and the table in docs/mail-contract.md. Each is one probe of one index in one table: what depends
on a domain, a switch or a tenant above is an effective column, written with whatever changed it.

Placeholders are neutral: {address} {local} {domain} of what is asked, {service} (imap, pop3, smtp, sieve, lmtp …),
{overdraft_mb}, {selector} (of an app password), {tenants} (ids, parted by commas). Every daemon escapes what it puts
there.
"""

import re
from dataclasses import dataclass

from mailboxes import app_passwords
from mailboxes.addresses import SUCCESSOR

# Postfix asks nothing where a key lacks the part: {local}@{domain} keeps bare names and "@domain" from the database.
POSTFIX = {"address": "%s", "local": "%u", "domain": "%d"}
DOVECOT = {
    "2.3": {
        "address": "%u",
        "local": "%n",
        "domain": "%d",
        "service": "%s",
        "selector": f"%{app_passwords.SELECTOR_OFFSET}.{app_passwords.SELECTOR_LENGTH}w",
    },
    "2.4": {
        "address": "%{user}",
        "local": "%{user | username}",
        "domain": "%{user | domain}",
        "service": "%{protocol}",
        "selector": f"%{{password | substr({app_passwords.SELECTOR_OFFSET}, {app_passwords.SELECTOR_LENGTH})}}",
    },
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question: which daemon asks it by which parameter, the columns it reads, and what it means."""

    name: str
    daemon: str
    parameter: str
    table: str
    columns: tuple[str, ...]
    sql: str
    sentence: str
    is_probe: bool = True
    """Whether it reads at most the rows of one key; only iterating reads a whole index."""
    joined: str = ""
    """A second table, probed by one key too."""
    joined_columns: tuple[str, ...] = ()

    @property
    def database_user(self) -> str:
        """As whose database user it is asked: "postfix" or "dovecot"."""
        return ASKS_AS.get(self.daemon, self.daemon)

    def filled(self, **values: str) -> str:
        """Return the query with its placeholders replaced. Raises KeyError for one that has no value."""
        return PLACEHOLDER.sub(lambda found: values[found[1]], self.sql)

    def postfix_query(self) -> str:
        """Return the query as Postfix's mysql_table(5) writes it."""
        return self.filled(**POSTFIX)

    def dovecot_query(self, version: str, *, overdraft_mb: int) -> str:
        """Return the query in the variables of that Dovecot version ("2.3" or "2.4")."""
        return self.filled(**DOVECOT[version], overdraft_mb=str(overdraft_mb))


NO_OTHER_TARGET = (
    "NOT EXISTS(SELECT 1 FROM mail_aliases other WHERE other.routed_email = alias.routed_email"
    " AND other.destination_email <> alias.destination_email)"
)

SIEVE = (
    "IF(may_smtp, 4, 0) AS sieve_max_redirects,"
    " IF(may_smtp, '-enotify', '-enotify -vacation -reject') AS sieve_extensions"
)

# A sign-in reads plain columns, because putting words together in SQL costs a quarter of the question: what may be done
# is named after Dovecot's service ("may_imap"), and mail_home in dovecot.conf makes the path from the folder. That is
# the mailbox's own id: an address given to somebody else never opens the former mail, nor climbs out with "../".
LOOKUPS = (
    Lookup(
        name="domains",
        daemon="postfix",
        parameter="virtual_mailbox_domains",
        table="mail_domains",
        columns=("owned_name", "is_verified"),
        sql="SELECT 1 FROM mail_domains WHERE owned_name = '{address}' AND is_verified = 1",
        sentence="Is this name a domain of ours: live, proven, switched on, and no tenant above it suspended?",
    ),
    Lookup(
        name="details",
        daemon="postfix",
        parameter="smtpd_recipient_restrictions (check_recipient_access), of recipients with a +",
        table="mail_domains",
        columns=("owned_name", "is_verified", "plus_addressing"),
        joined="mail_routes",
        joined_columns=("source",),
        sql=(
            "SELECT IF(plus_addressing OR EXISTS(SELECT 1 FROM mail_routes WHERE source = '{local}@{domain}'),"
            " 'DUNNO', '550 5.1.1 There is no such address here') FROM mail_domains"
            " WHERE owned_name = '{domain}' AND is_verified = 1"
        ),
        sentence=(
            "Does this domain take anna+news@ for anna@, or is there an address of exactly that name? If so, the"
            " questions below decide."
        ),
        is_probe=False,
    ),
    Lookup(
        name="recipients",
        daemon="postfix",
        parameter="smtpd_recipient_restrictions (check_recipient_access)",
        table="mail_mailboxes",
        columns=("live_email", "may_receive"),
        sql=(
            "SELECT IF(may_receive, 'recipient_accepted', '550 5.2.1 This mailbox is disabled') FROM mail_mailboxes"
            " WHERE live_email = '{local}@{domain}'"
        ),
        sentence="Is the recipient a mailbox, and does it take mail? The answer is the restriction class that follows.",
    ),
    Lookup(
        name="sources",
        daemon="postfix",
        parameter="smtpd_recipient_restrictions (check_recipient_access)",
        table="mail_aliases",
        columns=("routed_email", "is_active", "is_denial"),
        sql=(
            "SELECT COALESCE("
            "(SELECT IF(MAX(is_active), 'recipient_accepted', IF(MAX(is_denial),"
            " '550 5.1.1 This address takes no mail', '550 5.2.1 This mailbox is disabled'))"
            " FROM mail_aliases WHERE routed_email = '{local}@{domain}' HAVING COUNT(*) > 0),"
            " (SELECT 'recipient_accepted' FROM mail_aliases WHERE routed_email = '@{domain}'"
            " AND (LOCATE('+', '{local}') = 0 OR NOT EXISTS(SELECT 1 FROM mail_aliases WHERE is_denial"
            " AND routed_email = CONCAT(SUBSTRING_INDEX('{local}', '+', 1), '@{domain}'))) LIMIT 1))"
        ),
        sentence=(
            "Is the recipient, which is no mailbox, an alias or caught by a catch-all? In an alias domain it may be the"
            " name of a mailbox that takes no mail, and an address may be kept from the catch-all, with any detail."
        ),
        is_probe=False,
    ),
    Lookup(
        name="mailboxes",
        daemon="postfix",
        parameter="virtual_mailbox_maps",
        table="mail_mailboxes",
        columns=("live_email", "may_receive"),
        sql="SELECT 1 FROM mail_mailboxes WHERE live_email = '{local}@{domain}' AND may_receive = 1",
        sentence="Is this address a mailbox that takes mail?",
    ),
    Lookup(
        name="aliases",
        daemon="postfix",
        parameter="virtual_alias_maps",
        table="mail_routes",
        columns=("source", "leads_to"),
        sql="SELECT leads_to FROM mail_routes WHERE source = '{address}'",
        sentence=(
            "Where does mail for this address go? A mailbox answers with itself, before its domain's catch-all; one"
            " whose address was another's with an address that is its own for ever."
        ),
    ),
    Lookup(
        name="senders",
        daemon="postfix",
        parameter="smtpd_sender_login_maps",
        table="mail_aliases",
        columns=("alias_email", "destination_email", "may_send_as"),
        sql="SELECT destination_email FROM mail_aliases WHERE alias_email = '{local}@{domain}' AND may_send_as = 1",
        sentence="Which logins may use this address as envelope sender?",
    ),
    Lookup(
        name="sending",
        daemon="guard",
        parameter="the end of a submitted message",
        table="mail_mailboxes",
        columns=("live_email", "tenant_id"),
        joined="tenants_allowance",
        joined_columns=("tenant_id", "path"),
        sql=(
            "SELECT page.path FROM mail_mailboxes mailbox JOIN tenants_allowance page"
            " ON page.tenant_id = mailbox.tenant_id WHERE mailbox.live_email = '{local}@{domain}'"
        ),
        sentence="For whom does a message of this login count? The path names the tenant and everybody above it.",
    ),
    Lookup(
        name="pace",
        daemon="guard",
        parameter="the end of a submitted message",
        table="tenants_allowance",
        columns=("tenant_id", "messages_per_hour", "messages_per_day"),
        sql=(
            "SELECT tenant_id, messages_per_hour, messages_per_day FROM tenants_allowance"
            " WHERE tenant_id IN ({tenants})"
        ),
        sentence="How many messages may each of these tenants send, with all below it, in an hour and on a day?",
        is_probe=False,
    ),
    Lookup(
        name="alive",
        daemon="postfix",
        parameter="mua_client_restrictions (check_client_access)",
        table="",
        columns=(),
        sql="SELECT 'DUNNO'",
        sentence="Does the database answer? If not, submission says 4xx at connect and refuses no good password.",
    ),
    Lookup(
        name="passdb",
        daemon="dovecot",
        parameter="password_query",
        table="mail_mailboxes",
        columns=(
            *("email", "live_email", "password_hash", "uid", "quota_rule"),
            *("may_imap", "may_pop3", "may_smtp", "may_sieve"),
        ),
        sql=(
            "SELECT email AS user, password_hash AS password, uid AS userdb_folder, quota_rule AS userdb_quota_rule"
            " FROM mail_mailboxes WHERE live_email = '{address}' AND may_{service} = 1"
        ),
        sentence="Which password signs in to this mailbox by this protocol, and where is its mail?",
    ),
    Lookup(
        name="app_passdb",
        daemon="dovecot",
        parameter="password_query, when what was typed has the form of an app password",
        table="mail_app_passwords",
        columns=(
            *("mailbox_id", "selector", "digest", "networks", "expires_at"),
            *("allows_imap", "allows_pop3", "allows_smtp"),
        ),
        joined="mail_mailboxes",
        joined_columns=("id", "email", "live_email", "uid", "quota_rule", "may_imap", "may_pop3", "may_smtp"),
        sql=(
            "SELECT m.email AS user, a.digest AS password, a.networks AS allow_nets,"
            " m.uid AS userdb_folder, m.quota_rule AS userdb_quota_rule,"
            " CONCAT('last-login/', m.email, '/{service}/', a.selector) AS userdb_last_login_key"
            " FROM mail_app_passwords a JOIN mail_mailboxes m ON m.id = a.mailbox_id"
            " WHERE a.selector = '{selector}' AND m.live_email = '{address}' AND CASE '{service}'"
            " WHEN 'imap' THEN m.may_imap AND a.allows_imap WHEN 'pop3' THEN m.may_pop3 AND a.allows_pop3"
            " WHEN 'smtp' THEN m.may_smtp AND a.allows_smtp ELSE 0 END = 1"
            " AND (a.expires_at IS NULL OR a.expires_at > UTC_TIMESTAMP(6))"
        ),
        sentence=(
            "Which app password of this mailbox is that? It opens what both the mailbox and it may, from its networks,"
            " until it expires; of what was typed only the public selector is asked for."
        ),
    ),
    Lookup(
        name="userdb",
        daemon="dovecot",
        parameter="user_query",
        table="mail_mailboxes",
        columns=("email", "live_email", "uid", "quota_rule", "may_smtp"),
        sql=(
            "SELECT email AS user, uid AS folder, quota_rule, {sieve} FROM mail_mailboxes"
            " WHERE live_email = '{address}'"
        ).replace("{sieve}", SIEVE),
        sentence="Where is the mail of this mailbox? A mailbox that may not send does not send by Sieve either.",
    ),
    Lookup(
        name="delivery",
        daemon="dovecot",
        parameter="user_query, when LMTP asks",
        table="mail_mailboxes",
        columns=("email", "live_email", "uid", "storage_quota", "may_smtp", "is_successor"),
        sql=(
            "SELECT email AS user, uid AS folder,"
            " CONCAT('*:storage=', storage_quota + {overdraft_mb}, 'M') AS quota_rule,"
            " email AS sieve_user_email, {sieve} FROM mail_mailboxes"
            " WHERE live_email = CONCAT(SUBSTRING_INDEX('{local}', '{mark}', 1), '@{domain}')"
            " AND IF(LOCATE('{mark}', '{local}'), uid = SUBSTRING_INDEX('{local}', '{mark}', -1), NOT is_successor)"
        )
        .replace("{sieve}", SIEVE)
        .replace("{mark}", SUCCESSOR),
        sentence=(
            "Whose is what waited in Postfix's queue under this address? The plain one is the first mailbox's that had"
            " it, and nobody's after that. What Postfix accepted is delivered: to a suspended mailbox, and beyond the"
            " quota, because messages that arrive together are all weighed before the first is counted."
        ),
    ),
    Lookup(
        name="weighed",
        daemon="dovecot",
        parameter="user_query",
        table="mail_aliases",
        columns=("routed_email", "destination_email"),
        sql=(
            "WITH RECURSIVE route (source, target) AS ("
            "SELECT alias.routed_email, alias.destination_email FROM mail_aliases alias"
            " WHERE alias.routed_email = IF(EXISTS(SELECT 1 FROM mail_aliases WHERE routed_email = '{address}'),"
            " '{address}', '@{domain}') AND {no_other_target}"
            " UNION SELECT alias.routed_email, alias.destination_email FROM route JOIN mail_aliases alias"
            " ON alias.routed_email = CONCAT(SUBSTRING_INDEX(SUBSTRING_INDEX(route.target, '@', 1), '+', 1),"
            " '@', SUBSTRING_INDEX(route.target, '@', -1))"
            " WHERE alias.routed_email <> route.source AND {no_other_target}"
            ") SELECT mailbox.email AS user, mailbox.uid AS folder, mailbox.quota_rule"
            " FROM route JOIN mail_mailboxes mailbox ON mailbox.live_email = route.source"
            " WHERE route.target = route.source AND '{service}' = 'quota-status'"
        ).replace("{no_other_target}", NO_OTHER_TARGET),
        sentence=(
            "Which mailbox alone gets the mail for this alias, so that the alias is full when it is? Asked after"
            " `userdb` found no mailbox; an alias with several targets is never full."
        ),
        is_probe=False,
    ),
    Lookup(
        name="iterate",
        daemon="dovecot",
        parameter="iterate_query",
        table="mail_mailboxes",
        columns=("email", "is_live"),
        sql="SELECT email AS username FROM mail_mailboxes WHERE is_live = 1",
        sentence="Which mailboxes are there? Asked only by doveadm -A; it reads the whole index.",
        is_probe=False,
    ),
)

# The guard asks as Postfix's database user; everybody else as the user of their own name.
ASKS_AS = {"guard": "postfix"}
# What a daemon writes: table, columns.
WRITES = {"dovecot": {"mail_quota_usage": ("username", "bytes", "messages")}, "postfix": {}}

# The product's given queries, word for word: an installation that already uses them may point at our tables.
GIVEN = {
    "virtual_mailbox_domains": (
        "SELECT 1 FROM mail_domains WHERE domain_name = '%s' AND is_verified = 1 AND deleted_at IS NULL"
    ),
    "virtual_mailbox_maps": (
        "SELECT 1 FROM mail_mailboxes WHERE email = '%s' AND is_active = 1 AND deleted_at IS NULL"
    ),
    "virtual_alias_maps": "SELECT destination_email FROM mail_aliases WHERE alias_email = '%s' AND is_active = 1",
    "password_query": (
        "SELECT email as user, password_hash as password FROM mail_mailboxes"
        " WHERE email = '%u' AND is_active = 1 AND deleted_at IS NULL"
    ),
    "user_query": (
        "SELECT email as user, 'maildir:/var/mail/vhosts/%d/%n' as mail, 5000 AS uid, 5000 AS gid,"
        " CONCAT('*:storage=', CAST(storage_quota AS CHAR), 'M') AS quota_rule"
        " FROM mail_mailboxes WHERE email = '%u' AND is_active = 1 AND deleted_at IS NULL"
    ),
}
# The columns that only the given queries read; the daemons' users may read them too.
GIVEN_COLUMNS = {
    "postfix": {
        "mail_domains": ("domain_name", "is_verified", "deleted_at"),
        "mail_mailboxes": ("email", "is_active", "deleted_at"),
        "mail_aliases": ("alias_email", "destination_email", "is_active"),
    },
    "dovecot": {"mail_mailboxes": ("email", "password_hash", "storage_quota", "is_active", "deleted_at")},
}

# What the release before asked for: between `daemonusers` and `mailconfig apply` Postfix still does.
FORMER_COLUMNS = {"postfix": {"mail_aliases": ("leads_to",)}, "dovecot": {}}


def of_daemon(daemon: str) -> tuple[Lookup, ...]:
    """Return the questions of "postfix", "dovecot" or "guard"."""
    return tuple(lookup for lookup in LOOKUPS if lookup.daemon == daemon)


def named(name: str) -> Lookup:
    """Return the question of that name. Raises KeyError."""
    return {lookup.name: lookup for lookup in LOOKUPS}[name]


def readable_columns(daemon: str) -> dict[str, tuple[str, ...]]:
    """Return for each table the columns that this daemon's database user may read, and no more."""
    columns: dict[str, set[str]] = {}
    for lookup in LOOKUPS:
        if lookup.database_user != daemon:
            continue
        if not lookup.table:
            continue
        columns.setdefault(lookup.table, set()).update(lookup.columns)
        if lookup.joined:
            columns.setdefault(lookup.joined, set()).update(lookup.joined_columns)
    for part in (GIVEN_COLUMNS[daemon], FORMER_COLUMNS[daemon], WRITES[daemon]):
        for table, names in part.items():
            columns.setdefault(table, set()).update(names)
    return {table: tuple(sorted(names)) for table, names in sorted(columns.items())}
