"""What the maps are asked: half of the keys exist, half do not, in random order that is the same in every run."""

import random
from dataclasses import dataclass
from pathlib import Path

from MySQLdb.cursors import Cursor

from bench.databases import VOLUME_MAILBOXES, Database


@dataclass(frozen=True)
class Keys:
    """A file with one key per line, and how many of them exist."""

    path: Path
    hits: int


def write_keys(cursor: Cursor, database: Database, count: int, folder: Path) -> dict[str, Keys]:
    """Write key files of `count` lines: mailbox, source, domain, and the primary keys by table name.

    "mailbox" are addresses of mailboxes, "source" alias sources (half of them a mailbox's own), "domain" names.
    """
    dice = random.Random(database.size)
    half = count // 2
    size, volume = database.size, VOLUME_MAILBOXES
    mailbox_ids = dice.choices(range(1, size + 1), k=half)
    # The mailboxes' own rows come first, then those of the volume domain, then the aliases.
    alias_ids = [number + (number > size) * volume for number in dice.choices(range(1, 2 * size + 1), k=half)]
    domain_ids = dice.choices(range(1, database.domains + 1), k=half)
    mailboxes = _values(cursor, "mail_mailboxes", "email", mailbox_ids)
    sources = _values(cursor, "mail_aliases", "alias_email", alias_ids)
    domains = _values(cursor, "mail_domains", "domain_name", domain_ids)
    beyond = 3 * (size + volume)
    absent_ids = [str(beyond + number) for number in range(half)]
    present_and_absent = {
        "mailbox": (mailboxes, [f"no.{address}" for address in mailboxes]),
        "source": (sources, [f"no.{address}" for address in sources]),
        "domain": (domains, [f"no-{name}" for name in domains]),
        "mail_mailboxes": ([str(number) for number in mailbox_ids], absent_ids),
        "mail_aliases": ([str(number) for number in alias_ids], absent_ids),
        "mail_domains": ([str(number) for number in domain_ids], absent_ids),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (present, absent) in present_and_absent.items():
        keys = present + absent
        dice.shuffle(keys)
        path = folder / name
        path.write_text("".join(f"{key}\n" for key in keys))
        files[name] = Keys(path, len(present))
    return files


def _values(cursor: Cursor, table: str, column: str, ids: list[int]) -> list[str]:
    """Return the column's values in the order of the ids, which may repeat."""
    cursor.execute(f"SELECT id, {column} FROM {table} WHERE id IN ({', '.join(map(str, set(ids)))})")
    values = dict(cursor.fetchall())
    return [values[number] for number in ids]
