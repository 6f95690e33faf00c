"""The daemons' database users: each may read the columns that its questions name, write what it must, and no more."""

import re
from collections.abc import Iterator

from MySQLdb import Error
from MySQLdb.connections import Connection
from MySQLdb.cursors import Cursor

from dns import signer_rights
from mailboxes import lookups

# The signer of a further mail host, which asks the database itself.
SIGNER = "signer"
# A client on a socket is "localhost" to the server, one over TCP is its address.
HOSTS = ("localhost", "127.0.0.1")
IDENTIFIER = re.compile(r"[\w.%:-]{1,80}")
# ER_NONEXISTING_GRANT, ER_NONEXISTING_TABLE_GRANT: there was nothing to take away.
NO_SUCH_GRANT = (1141, 1147)
# ER_SPECIFIC_ACCESS_DENIED_ERROR: the connection may not create users; an administrator has made them, or must.
MAY_NOT_CREATE_USERS = 1227
VERBS = ("SELECT", "INSERT", "UPDATE")


def rights(daemon: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the columns by (verb, table) that this daemon's user has, and it has no others."""
    is_signer = daemon == SIGNER
    reads = signer_rights.READS if is_signer else lookups.readable_columns(daemon)
    writes = signer_rights.WRITES if is_signer else lookups.WRITES[daemon]
    granted = {("SELECT", table): columns for table, columns in reads.items()}
    for table, columns in writes.items():
        granted |= {("INSERT", table): columns, ("UPDATE", table): columns}
    return granted


def grant(connection: Connection, database: str, daemon: str, *, user: str, password: str, hosts=HOSTS) -> None:
    """Make the daemon's user what it should be, whatever it was before.

    Rights are given first and taken after, so that a running daemon is never without an answer.
    Raises MySQLdb.Error; a lookup that names a column which is gone fails here, by its name.
    """
    cursor = connection.cursor()
    for host in hosts:
        account = f"{_quoted(user)}@{_quoted(host)}"
        _make_user(cursor, account, password)
        for (verb, table), columns in rights(daemon).items():
            cursor.execute(f"GRANT {verb} ({_listed(columns)}) ON `{database}`.`{table}` TO {account}")
        for statement in _superfluous(cursor, database, daemon, account):
            _revoke(cursor, statement)


def _make_user(cursor: Cursor, account: str, password: str) -> None:
    named = account.replace("%", "%%")
    try:
        cursor.execute(f"CREATE USER IF NOT EXISTS {named} IDENTIFIED BY %s", (password,))
        cursor.execute(f"ALTER USER {named} IDENTIFIED BY %s", (password,))
    except Error as error:
        # The GRANT that follows says by name when the user is missing.
        if error.args[0] != MAY_NOT_CREATE_USERS:
            raise


def _superfluous(cursor: Cursor, database: str, daemon: str, account: str) -> Iterator[str]:
    wanted = rights(daemon)
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", (database,)
    )
    present: dict[str, list[str]] = {}
    for table, column in cursor.fetchall():
        present.setdefault(table, []).append(column)
    for table, columns in present.items():
        for verb in VERBS:
            for column in set(columns) - set(wanted.get((verb, table), ())):
                yield f"REVOKE {verb} (`{column}`) ON `{database}`.`{table}` FROM {account}"
    yield f"REVOKE ALL PRIVILEGES ON `{database}`.* FROM {account}"


def _revoke(cursor: Cursor, statement: str) -> None:
    try:
        cursor.execute(statement)
    except Error as error:
        if error.args[0] not in NO_SUCH_GRANT:
            raise


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _quoted(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a database user or host")
    return f"'{name}'"
