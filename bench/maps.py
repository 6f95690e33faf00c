"""Postfix's maps through its own client, `postmap -q -`, beside a primary-key read of the same table."""

import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from bench import postfixadmin
from bench.databases import Database
from bench.figures import Figure
from bench.keys import Keys, write_keys
from bench.servers import READER, Servers
from bench.timing import one_core, processor_seconds, spread
from mailboxes import lookups
from mailconfig import files
from mailconfig.parameters import Parameters
from mailconfig.render import render

# By table: what a question about it cannot cost less than. The passdb's has its own, with the columns it answers.
FLOORS = {
    "mail_domains": "SELECT 1 FROM mail_domains WHERE id = %s",
    "mail_mailboxes": "SELECT 1 FROM mail_mailboxes WHERE id = %s",
    "mail_aliases": "SELECT destination_email FROM mail_aliases WHERE id = %s",
    "passdb": "SELECT email, password_hash, uid, storage_quota FROM mail_mailboxes WHERE id = %s",
}
# A table whose primary key is what is asked for is no floor to itself.
BESIDE = {"mail_routes": "mail_aliases"}
# Questions that have an answer to every key here.
ALWAYS = {"alive", "details"}
# Which keys a question is asked, by its name; the others are asked for mailboxes.
KEYS = {"domains": "domain", "aliases": "source", "sources": "source", "senders": "source"}
SELECT_ONE, START = "SELECT 1", "start"


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time, of client and server together, and seconds of the clock.

    On one core of a quiet machine they are the same; the first does not see what others do on the machine.
    """

    processor: float
    elapsed: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.processor - other.processor, self.elapsed - other.elapsed)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.processor + other.processor, self.elapsed + other.elapsed)

    def __truediv__(self, number: float) -> "Cost":
        return Cost(self.processor / number, self.elapsed / number)


@dataclass(frozen=True)
class Pair:
    """What a question cost, and what its floor cost just before and after."""

    cost: Cost
    floor: Cost

    @property
    def times_floor(self) -> float:
        return self.cost.processor / self.floor.processor


@dataclass(frozen=True)
class Question:
    """One map file, the keys it is asked, and how many answers must come."""

    name: str
    config: Path
    keys: Path
    hits: int

    @property
    def command(self) -> list[str]:
        # Beside main.cf, which says where the kinds of maps are listed.
        return ["/usr/sbin/postmap", "-c", str(self.config.parent.parent), "-q", "-", f"mysql:{self.config}"]

    def check(self) -> None:
        """Ask once and count the answers. Raises RuntimeError when the map does not say what it should."""
        with self.keys.open() as keys:
            asked = subprocess.run(self.command, check=False, stdin=keys, capture_output=True, text=True)
        found = asked.stdout.count("\n")
        if found != self.hits:
            raise RuntimeError(f"{self.name}: {found} answers instead of {self.hits}. {asked.stderr[-500:]}")

    def cost(self, server: int) -> Cost:
        """Ask all keys once; return what it cost, postmap and the server with this process id together."""
        with self.keys.open() as keys:
            before, started = processor_seconds(server), time.perf_counter()
            subprocess.run(self.command, check=False, stdin=keys, stdout=subprocess.DEVNULL)
            return Cost(processor_seconds(server) - before, time.perf_counter() - started)


def questions(servers: Servers, database: Database, count: int) -> dict[str, Question]:
    """Return every question about one database: our maps, the passdb's statement, the floors, PostfixAdmin's maps."""
    params = servers.parameters_of(f"maps-{database.size}", database.name)
    servers.write(params, ("postfix",))
    folder = params.postfix_config_dir / "lookups"
    with servers.root_connection(database.name) as connection, connection.cursor() as cursor:
        keys = write_keys(cursor, database, count, params.postfix_config_dir.parent / "keys")
    everything = Keys(keys["mailbox"].path, count)
    single = params.postfix_config_dir.parent / "keys/single"
    single.write_text("1\n")

    reader = replace(params, postfix_db_user=READER)
    # With rights on single columns too: its maps differ from ours in the tables alone.
    other = replace(params, postfix_db_user=postfixadmin.USER, database_name=database.other_name)
    dovecot = replace(params, postfix_db_user=params.dovecot_db_user, postfix_db_password=params.dovecot_db_password)
    asked: dict[str, tuple[Path, Keys]] = {}
    for lookup in lookups.of_daemon("postfix"):
        of_kind = everything if lookup.name in ALWAYS else keys[KEYS.get(lookup.name, "mailbox")]
        asked[lookup.name] = (folder / f"{lookup.name}.cf", of_kind)
    passdb = lookups.named("passdb").filled(address="%s", service="imap")
    asked["passdb"] = (write_map(folder / "passdb.cf", dovecot, passdb), keys["mailbox"])
    for name, query in FLOORS.items():
        of_table = keys["mail_mailboxes" if name == "passdb" else name]
        asked[floor_of(name)] = (write_map(folder / f"floor-{name}.cf", reader, query), of_table)
    for name, query in postfixadmin.QUERIES.items():
        config = write_map(folder / f"postfixadmin-{name}.cf", other, query)
        asked[f"PostfixAdmin {name}"] = (config, keys[KEYS.get(name, "mailbox")])
    one = write_map(folder / "one.cf", reader, "SELECT 1")
    asked[SELECT_ONE], asked[START] = (one, everything), (one, Keys(single, 1))
    return {name: Question(name, config, keys.path, keys.hits) for name, (config, keys) in asked.items()}


def write_map(path: Path, params: Parameters, query: str) -> Path:
    """Write a map file as production's template makes it, with another query."""
    file = render(params, ("postfix",))[params.postfix_config_dir / "lookups/mailboxes.cf"]
    lines = [line for line in file.text.splitlines() if not line.startswith(("query", "#"))]
    files.write(path, replace(file, text="\n".join([*lines, f"query = {query}", ""])))
    return path


def floor_of(name: str) -> str:
    return f"primary key, {name}"


def table_of(name: str) -> str:
    """Return the name of the floor that a question is held against."""
    if name == SELECT_ONE:
        return "mail_mailboxes"
    if name == "passdb":
        return "passdb"
    table = lookups.named(name.removeprefix("PostfixAdmin ")).table
    return BESIDE.get(table, table)


def measure(servers: Servers, databases: list[Database], count: int, rounds: int) -> list[Figure]:
    """Ask every question of every database, each time between two readings of its floor; return the figures."""
    asked = {database: questions(servers, database, count) for database in databases}
    server = servers.mariadb_pid
    costs: dict[tuple[Database, str], list[Pair]] = {}
    with one_core(server) as is_pinned:
        for question in (question for named in asked.values() for question in named.values()):
            question.check()
        for _ in range(rounds):
            # Databases of all sizes in turn within one question: growth is read from neighbours in time.
            for name in contenders():
                for database, named in asked.items():
                    floor, start = named[floor_of(table_of(name))], named[START].cost(server)
                    before, cost, after = (question.cost(server) for question in (floor, named[name], floor))
                    pair = Pair(cost - start, (before - start + (after - start)) / 2)
                    costs.setdefault((database, name), []).append(pair)
    return [
        figure
        for database in databases
        for figure in figures_of(database, costs, count, is_pinned, smallest=databases[0])
    ]


def ours() -> list[str]:
    """Return the names of our questions that read a table."""
    return [*(lookup.name for lookup in lookups.of_daemon("postfix") if lookup.table), "passdb"]


def contenders() -> list[str]:
    return [*ours(), *(f"PostfixAdmin {name}" for name in postfixadmin.QUERIES), SELECT_ONE]


def figures_of(database: Database, costs: dict, count: int, is_pinned: bool, smallest: Database) -> list[Figure]:
    """Return the figures of one database."""
    figures = []
    for name in ours():
        pairs = costs[database, name]
        more = {
            "lookups_per_second": count / median(pair.cost.elapsed for pair in pairs),
            "floor_per_second": count / median(pair.floor.elapsed for pair in pairs),
            "by_elapsed_time": median(pair.cost.elapsed / pair.floor.elapsed for pair in pairs),
            "spread": spread([pair.times_floor for pair in pairs]),
            "is_pinned": is_pinned,
        }
        value = median(pair.times_floor for pair in pairs)
        figures.append(Figure(f"lookup {name}", database.size, value, "× primary-key read", more))
        if (others := costs.get((database, f"PostfixAdmin {name}"))) is not None:
            value = median(a.times_floor / b.times_floor for a, b in zip(pairs, others, strict=True))
            more = {"their_times_primary_key": median(pair.times_floor for pair in others)}
            figures.append(Figure(f"beside PostfixAdmin: {name}", database.size, value, "× its tables", more))
        if database != smallest:
            start = costs[smallest, name]
            value = median(a.cost.processor / b.cost.processor for a, b in zip(pairs, start, strict=True))
            unit = f"× the time at {smallest.size:,} mailboxes"
            figures.append(Figure(f"growth {name}", database.size, value, unit))
    ones = costs[database, SELECT_ONE]
    value = median(1 / pair.times_floor for pair in ones)
    more = {"select_1_per_second": count / median(pair.cost.elapsed for pair in ones)}
    figures.append(Figure("the floor: primary-key read", database.size, value, "× SELECT 1", more))
    return figures
