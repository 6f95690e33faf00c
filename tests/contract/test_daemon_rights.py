"""What the daemons' database users may do, tried as these users: their questions, and nothing else."""

import MySQLdb
import pytest
from MySQLdb.cursors import Cursor

from mailboxes import lookups

# ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
DENIED = {1044, 1142, 1143}
ASKED = {
    "address": "anna@acme.example",
    "local": "anna",
    "domain": "acme.example",
    "service": "imap",
    "overdraft_mb": "100",
    "selector": "7kq2m9xvhw",
    "tenants": "1,2",
}

FORBIDDEN = {
    "postfix": [
        "SELECT password_hash FROM mail_mailboxes",
        "SELECT * FROM mail_mailboxes",
        "SELECT uid FROM mail_mailboxes",
        "SELECT * FROM mail_domains",
        "SELECT challenge FROM mail_domains",
        "SELECT * FROM mail_dns_records",
        "SELECT * FROM mail_quota_usage",
        "SELECT selector FROM mail_app_passwords",
        "SELECT * FROM dns_dkimkey",
        "SELECT * FROM accounts_user",
        "SELECT * FROM accounts_apikey",
        "SELECT * FROM tenants_tenant",
        "SELECT used_mailboxes FROM tenants_allowance",
        "UPDATE tenants_allowance SET messages_per_hour = 1000000",
        "SELECT * FROM tenants_sentmessages",
        "SELECT * FROM django_session",
        "INSERT INTO mail_aliases (alias_email) VALUES ('a@b.example')",
        "UPDATE mail_mailboxes SET may_smtp = 1",
        "UPDATE mail_aliases SET destination_email = 'a@b.example'",
        "UPDATE mail_routes SET leads_to = 'a@b.example'",
        "INSERT INTO mail_routes (source, leads_to) VALUES ('a@b.example', 'a@b.example')",
        "DELETE FROM mail_mailboxes",
        "TRUNCATE mail_aliases",
        "DROP TABLE mail_mailboxes",
        "CREATE TABLE mine (id INT)",
        "SELECT * FROM mysql.user",
    ],
    "dovecot": [
        "SELECT * FROM mail_mailboxes",
        "SELECT display_name FROM mail_mailboxes",
        "SELECT * FROM mail_domains",
        "SELECT * FROM mail_aliases",
        "SELECT * FROM mail_routes",
        "SELECT * FROM mail_dns_records",
        "SELECT name FROM mail_app_passwords",
        "SELECT last_used_at FROM mail_app_passwords",
        "INSERT INTO mail_app_passwords (selector) VALUES ('7kq2m9xvhw')",
        "UPDATE mail_app_passwords SET digest = ''",
        "SELECT * FROM dns_dkimkey",
        "SELECT * FROM accounts_user",
        "SELECT * FROM accounts_apikey",
        "SELECT * FROM tenants_tenant",
        "INSERT INTO mail_mailboxes (email) VALUES ('a@b.example')",
        "UPDATE mail_mailboxes SET password_hash = ''",
        "UPDATE mail_mailboxes SET storage_quota = 1000000",
        "DELETE FROM mail_quota_usage",
        "DROP TABLE mail_quota_usage",
        "CREATE TABLE mine (id INT)",
        "SELECT * FROM mysql.user",
    ],
}


@pytest.fixture
def as_daemon(stack):
    opened = []

    def connect(daemon: str) -> Cursor:
        mysql = stack.info["mysql"]
        opened.append(
            MySQLdb.connect(
                unix_socket=mysql["socket"],
                user=mysql["users"][daemon]["user"],
                password=mysql["users"][daemon]["password"],
                database=mysql["database"],
                autocommit=True,
            )
        )
        return opened[-1].cursor()

    yield connect
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(("daemon", "statement"), [(daemon, one) for daemon, all_ in FORBIDDEN.items() for one in all_])
def test_what_a_daemon_may_not_do_is_denied(as_daemon, daemon, statement):
    with pytest.raises(MySQLdb.Error) as refused:
        as_daemon(daemon).execute(statement)

    assert refused.value.args[0] in DENIED


@pytest.mark.parametrize("lookup", lookups.LOOKUPS, ids=lambda lookup: lookup.name)
def test_a_daemon_may_ask_its_questions(as_daemon, lookup):
    as_daemon(lookup.database_user).execute(lookup.filled(**ASKED))


@pytest.mark.parametrize("name", lookups.GIVEN)
def test_a_daemon_may_ask_the_given_queries(as_daemon, name):
    daemon = "dovecot" if name in {"password_query", "user_query"} else "postfix"
    sql = lookups.GIVEN[name]
    for variable in ("%s", "%u", "%d", "%n"):
        sql = sql.replace(variable, "anna@acme.example")

    as_daemon(daemon).execute(sql)


def test_dovecot_may_write_quota_use_and_postfix_may_not(as_daemon):
    write = (
        "INSERT INTO mail_quota_usage (username, bytes) VALUES ('rights@test.example', 1)"
        " ON DUPLICATE KEY UPDATE bytes = 1"
    )

    as_daemon("dovecot").execute(write)
    with pytest.raises(MySQLdb.Error) as refused:
        as_daemon("postfix").execute(write)

    assert refused.value.args[0] in DENIED
