"""PostfixAdmin's table shape, for comparison: the address itself is the primary key, one row per alias.

Written after its published schema (text columns of 255 characters in latin1, the address as primary key, each mailbox
with an alias row of its own) and the queries of its DOCUMENTS/POSTFIX_CONF.txt. None of its code is used.
"""

TEXT = "CHARACTER SET latin1 COLLATE latin1_general_ci NOT NULL DEFAULT ''"
# By the name of our lookup that answers the same question.
QUERIES = {
    "domains": "SELECT domain FROM domain WHERE domain='%s' AND active = '1'",
    "mailboxes": "SELECT CONCAT(domain,'/',maildir) FROM mailbox WHERE username='%s' AND active = '1'",
    "aliases": "SELECT goto FROM alias WHERE address='%s' AND active = '1'",
}
# What its queries read, by table: its user gets rights on these columns alone, as ours does.
COLUMNS = {
    "domain": ("domain", "active"),
    "mailbox": ("username", "domain", "maildir", "active"),
    "alias": ("address", "goto", "active"),
}
USER = "bench_postfixadmin"


def grant_statements(database: str, password: str) -> list[str]:
    """Return the statements that make its user and give it its rights."""
    return [
        f"CREATE USER IF NOT EXISTS {USER}@localhost",
        f"ALTER USER {USER}@localhost IDENTIFIED BY '{password}'",
        *(
            f"GRANT SELECT ({', '.join(columns)}) ON {database}.{table} TO {USER}@localhost"
            for table, columns in COLUMNS.items()
        ),
    ]


def tables() -> list[str]:
    """Return the statements that make its three tables."""
    times = "created DATETIME NOT NULL, modified DATETIME NOT NULL, active TINYINT(1) NOT NULL DEFAULT 1"
    return [
        f"CREATE TABLE domain (domain VARCHAR(255) {TEXT} PRIMARY KEY, description VARCHAR(255) NOT NULL DEFAULT '',"
        " aliases INT NOT NULL DEFAULT 0, mailboxes INT NOT NULL DEFAULT 0, maxquota BIGINT NOT NULL DEFAULT 0,"
        f" quota BIGINT NOT NULL DEFAULT 0, transport VARCHAR(255) {TEXT}, backupmx TINYINT(1) NOT NULL DEFAULT 0,"
        f" {times})",
        f"CREATE TABLE mailbox (username VARCHAR(255) {TEXT} PRIMARY KEY, password VARCHAR(255) {TEXT},"
        f" name VARCHAR(255) NOT NULL DEFAULT '', maildir VARCHAR(255) {TEXT}, quota BIGINT NOT NULL DEFAULT 0,"
        f" local_part VARCHAR(255) {TEXT}, domain VARCHAR(255) {TEXT}, {times}, KEY domain (domain))",
        f"CREATE TABLE alias (address VARCHAR(255) {TEXT} PRIMARY KEY, goto TEXT NOT NULL,"
        f" domain VARCHAR(255) {TEXT}, {times}, KEY domain (domain))",
    ]


def statements(database) -> list[str]:
    """Return the statements that fill the three tables with the addresses of our own."""
    ours = database.name
    now = "NOW(), NOW(), 1"
    # Sorted by what is the primary key here: the sorted load that ours gets too.
    return [
        "INSERT INTO domain (domain, transport, created, modified, active)"
        f" SELECT domain_name, 'virtual', {now} FROM {ours}.mail_domains ORDER BY 1",
        "INSERT INTO mailbox (username, password, maildir, quota, local_part, domain, created, modified, active)"
        " SELECT email, password_hash, CONCAT(email, '/'), 1024000000, SUBSTRING_INDEX(email, '@', 1),"
        f" SUBSTRING_INDEX(email, '@', -1), {now} FROM {ours}.mail_mailboxes ORDER BY 1",
        "INSERT INTO alias (address, goto, domain, created, modified, active)"
        f" SELECT alias_email, destination_email, SUBSTRING_INDEX(alias_email, '@', -1), {now}"
        f" FROM {ours}.mail_aliases ORDER BY 1",
        "ANALYZE TABLE domain, mailbox, alias",
    ]
