"""Databases of a known size: the migrations make the tables, deterministic SQL fills them."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from MySQLdb.connections import Connection

from bench import postfixadmin
from bench.servers import Servers, wait_until
from mailconfig import grants
from stack.layout import CLONE

MAILBOXES_PER_DOMAIN = 20
# One tenant owns this many mailboxes in every database that is large enough: the one that gets suspended.
LARGE_TENANT_ID, LARGE_TENANT_MAILBOXES = 3, 10_000
# smtp-source numbers its recipients within one domain, so each database has one with many: 1box@, 2box@, …
VOLUME_DOMAIN, VOLUME_MAILBOXES = "volume.example", 3000
# As long as a hash of Argon2, so that rows and answers have their real size; the scheme costs nothing to verify.
PASSWORD = "bench".ljust(100, "x")
NAMES = ("anna", "bert", "carla", "david", "emma", "felix", "greta", "hannah", "ivan", "julia")
NAMES += ("karl", "lena", "martin", "nora", "otto", "paula", "robert", "sofia", "tom", "vera")


@dataclass(frozen=True)
class Database:
    """One filled database and, beside it, the same addresses in PostfixAdmin's tables."""

    size: int

    @property
    def name(self) -> str:
        return f"bench_{self.size}"

    @property
    def other_name(self) -> str:
        return f"bench_postfixadmin_{self.size}"

    @property
    def domains(self) -> int:
        return max(1, self.size // MAILBOXES_PER_DOMAIN)


def domain_name(number: str) -> str:
    """Return the SQL of a domain's name; names do not sort in the order of their numbers, as in life."""
    return f"CONCAT('d', LEFT(SHA1(CONCAT('domain', {number})), 12), '.example')"


def mailbox_domain(seq: str = "seq") -> str:
    return f"(1 + ({seq} - 1) DIV {MAILBOXES_PER_DOMAIN})"


def mailbox_address(seq: str = "seq") -> str:
    names = ", ".join(f"'{name}'" for name in NAMES)
    return f"CONCAT(ELT(1 + ({seq} - 1) MOD {MAILBOXES_PER_DOMAIN}, {names}), '@', {domain_name(mailbox_domain(seq))})"


def alias_address(seq: str = "seq") -> str:
    return f"CONCAT('team', {seq} MOD {MAILBOXES_PER_DOMAIN}, '@', {domain_name(mailbox_domain(seq))})"


def uid(kind: str, seq: str = "seq") -> str:
    return f"LEFT(SHA1(CONCAT('{kind}', {seq})), 20)"


def fill_statements(database: Database) -> list[str]:
    """Return the statements that fill our tables, each one set-based."""
    size, domains = database.size, database.domains
    volume_id = domains + 1
    large = LARGE_TENANT_MAILBOXES // MAILBOXES_PER_DOMAIN

    def tenant_of(domain: str) -> str:
        return f"IF({domain} <= {large}, {LARGE_TENANT_ID}, {LARGE_TENANT_ID + 1} + {domain} DIV 10)"

    tenants = LARGE_TENANT_ID + 2 + domains // 10
    mailbox_flags = (
        "is_enabled, receives_enabled, sends_enabled, imap_enabled, pop3_enabled, managesieve_enabled,"
        " is_active, may_receive, may_smtp, may_imap, may_pop3, may_sieve"
    )
    mailbox_columns = (
        "id, uid, domain_id, tenant_id, email, password_hash, display_name, storage_quota,"
        f" {mailbox_flags}, created_at, updated_at"
    )
    mailbox_rest = f"'{{PLAIN}}{PASSWORD}', '', 1024, {', '.join(['1'] * 12)}, NOW(6), NOW(6)"
    alias_columns = (
        "id, uid, domain_id, tenant_id, alias_email, destination_email, own_mailbox_id, target_mailbox_id,"
        " is_enabled, is_active, is_routed, may_send_as, created_at, updated_at"
    )
    return [
        # The root of the tree, a reseller, and customers of ten domains each below it.
        "INSERT INTO tenants_tenant (id, uid, parent_id, path, kind, name, blocks_sign_in, blocks_sending,"
        " blocks_receiving, suspension_reason, may_sign_in, may_send, may_receive, created_at, updated_at)"
        f" SELECT seq, {uid('tenant')}, ELT(LEAST(seq, 3), NULL, 1, 2),"
        " ELT(LEAST(seq, 3), '/1/', '/1/2/', CONCAT('/1/2/', seq, '/')),"
        " ELT(LEAST(seq, 3), 'operator', 'reseller', 'customer'), CONCAT('tenant ', seq),"
        f" 0, 0, 0, '', 1, 1, 1, NOW(6), NOW(6) FROM seq_1_to_{tenants}",
        # Everybody has a page with what their plan allows; no limit is near.
        "INSERT INTO tenants_allowance (tenant_id, path, is_live, messages_per_hour, messages_per_day, used_domains,"
        " used_mailboxes, used_aliases, used_storage_mb, used_members, used_sub_tenants, stored_bytes, stored_messages)"
        " SELECT id, path, 1, 1e9, 1e9, 0, 0, 0, 0, 0, 0, 0, 0 FROM tenants_tenant",
        "INSERT INTO mail_domains (id, uid, tenant_id, domain_name, challenge, challenge_expires_at, verified_at,"
        " is_enabled, is_verified, is_active, created_at, updated_at)"
        f" SELECT seq, {uid('domain')}, {tenant_of('seq')},"
        f" IF(seq = {volume_id}, '{VOLUME_DOMAIN}', {domain_name('seq')}), SHA1(CONCAT('challenge', seq)), NOW(6),"
        f" NOW(6), 1, 1, 1, NOW(6), NOW(6) FROM seq_1_to_{volume_id}",
        f"INSERT INTO mail_mailboxes ({mailbox_columns})"
        f" SELECT seq, {uid('mailbox')}, {mailbox_domain()}, {tenant_of(mailbox_domain())},"
        f" {mailbox_address()}, {mailbox_rest}"
        f" FROM seq_1_to_{size} UNION ALL"
        f" SELECT {size} + seq, {uid('volume')}, {volume_id}, {tenant_of(str(volume_id))},"
        f" CONCAT(seq, 'box@{VOLUME_DOMAIN}'), {mailbox_rest}"
        f" FROM seq_1_to_{VOLUME_MAILBOXES}",
        f"INSERT INTO mail_aliases ({alias_columns})"
        f" SELECT id, {uid('own', 'id')}, domain_id, tenant_id, email, email, id, id, 1, 1, 1, 1, NOW(6), NOW(6)"
        " FROM mail_mailboxes UNION ALL"
        f" SELECT {size + VOLUME_MAILBOXES} + seq, {uid('alias')}, {mailbox_domain()},"
        f" {tenant_of(mailbox_domain())}, {alias_address()},"
        f" {mailbox_address()}, NULL, seq, 1, 1, 1, 1, NOW(6), NOW(6) FROM seq_1_to_{size}",
        "ANALYZE TABLE mail_domains, mail_mailboxes, mail_aliases, tenants_tenant, tenants_allowance",
    ]


def run_filling(connection: Connection, statements: list[str]) -> None:
    """Run statements that fill empty tables. Without checks InnoDB sorts each index once instead of growing it."""
    with connection.cursor() as cursor:
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
        for statement in statements:
            cursor.execute(statement)
            cursor.nextset()
            connection.commit()


def fingerprint(database: Database) -> str:
    """Return what a database was made from, so that a kept one is used again only if it would come out the same."""
    sources = [path.read_text() for app in ("domains", "mailboxes", "tenants") for path in migrations(app)]
    text = "".join([*sources, *fill_statements(database), *postfixadmin.statements(database)])
    return hashlib.sha256(text.encode()).hexdigest()


def migrations(app: str) -> list[Path]:
    return sorted((CLONE / app / "migrations").glob("0*.py"))


def make(servers: Servers, database: Database) -> bool:
    """Make and fill a database; return False when it was there already, filled by the same sources."""
    root = servers.root_connection()
    with root.cursor() as cursor:
        if is_made(cursor, database):
            return False
        for name in (database.name, database.other_name):
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        check=True,
        cwd=CLONE,
        env={**servers.environment, "MAILHOST_DATABASE_NAME": database.name},
    )
    root.select_db(database.other_name)
    run_filling(root, postfixadmin.tables())
    root.select_db(database.name)
    run_filling(root, fill_statements(database))
    root.select_db(database.other_name)
    run_filling(root, postfixadmin.statements(database))
    with root.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_made (fingerprint CHAR(64) NOT NULL)")
        cursor.execute("INSERT INTO bench_made VALUES (%s)", [fingerprint(database)])
    root.commit()
    return True


def is_made(cursor, database: Database) -> bool:
    cursor.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'bench_made'",
        [database.other_name],
    )
    if not cursor.fetchone():
        return False
    cursor.execute(f"SELECT fingerprint FROM {database.other_name}.bench_made")
    return cursor.fetchone() == (fingerprint(database),)


def grant_daemons(servers: Servers, database: Database) -> None:
    """Give the daemons' users their rights in this database, as `manage.py daemonusers` does in production."""
    root = servers.root_connection()
    for daemon in ("postfix", "dovecot"):
        user = getattr(servers.params, f"{daemon}_db_user")
        grants.grant(root, database.name, daemon, user=user, password=servers.secrets[daemon])
    with root.cursor() as cursor:
        for statement in postfixadmin.grant_statements(database.other_name, servers.secrets["postfix"]):
            cursor.execute(statement)


def settle(servers: Servers) -> None:
    """Wait until MariaDB has written what filling left in memory, so that it does nothing else while it is measured."""
    root = servers.root_connection()

    def is_clean() -> bool:
        with root.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
            return int(cursor.fetchone()[1]) < 100

    with root.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0.001, GLOBAL innodb_max_dirty_pages_pct = 0")
        wait_until(is_clean, seconds=60, every=0.2)
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 90")
