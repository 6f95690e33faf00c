"""Messages per second from SMTP to a sink behind LMTP: our maps through proxymap, beside static ones."""

import re
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from statistics import median

from bench.databases import VOLUME_DOMAIN, Database
from bench.figures import Figure
from bench.servers import Servers, wait_until
from bench.timing import in_turn, ratio, spread, tree_seconds
from mailboxes import lookups
from mailconfig.parameters import Parameters
from stack.services import system_environment

SESSIONS, MESSAGE_BYTES = 8, 2048
# Both sides without what costs the same on both and would hide the maps: Dovecot's quota policy and the milters.
BARE = {
    "recipient_accepted": "permit",
    "smtpd_milters": "",
    "mx_milters": "",
    "virtual_transport": "lmtp:unix:{sink}",
}
# The answers of every map as tab-separated keys and values.
EXPORTS = {
    "domains": "SELECT owned_name, 1 FROM mail_domains WHERE is_verified",
    # Nothing is asked here about addresses with a detail.
    "details": "SELECT 'any', 'DUNNO'",
    "recipients": "SELECT email, 'recipient_accepted' FROM mail_mailboxes WHERE may_receive",
    "sources": "SELECT DISTINCT routed_email, 'recipient_accepted' FROM mail_aliases WHERE is_active",
    "mailboxes": "SELECT email, 1 FROM mail_mailboxes WHERE may_receive",
    "aliases": ("SELECT alias_email, GROUP_CONCAT(leads_to) FROM mail_aliases WHERE is_routed GROUP BY alias_email"),
    "senders": (
        "SELECT alias_email, GROUP_CONCAT(destination_email) FROM mail_aliases WHERE may_send_as GROUP BY alias_email"
    ),
    "alive": "SELECT 'any', 'DUNNO'",
}


def measure(servers: Servers, database: Database, messages: int, rounds: int) -> list[Figure]:
    """Deliver `messages` per round through each of two Postfix instances that differ in their maps alone."""
    sink = servers.sinks / "lmtp.sock"
    ours = servers.parameters_of(f"proxy-{database.size}", database.name)
    static = servers.parameters_of(f"static-{database.size}", database.name)
    tables = static.postfix_config_dir / "static"
    servers.write(ours, ("postfix",), partial(_bare, sink))
    servers.write(static, ("postfix",), lambda name, text: _with_static_maps(tables, _bare(sink, name, text)))
    _export(servers, database, tables)
    params = {"proxy": ours, "static": static}
    instances = {name: servers.postfix(f"postfix-{name}", one) for name, one in params.items()}
    processor: dict[str, list[float]] = {name: [] for name in params}

    def one_round(name: str) -> float:
        trees = (servers.mariadb_pid, servers.pid(instances[name].name))
        before = tree_seconds(*trees)
        seconds = deliver(params[name], messages)
        processor[name].append(tree_seconds(*trees) - before)
        return seconds

    with servers.running(servers.lmtp_sink(sink), *instances.values()):
        contenders = {name: partial(one_round, name) for name in params}
        in_turn(1, contenders)
        seconds = in_turn(rounds, contenders)
    shutil.rmtree(tables)
    worked = {name: values[1:] for name, values in processor.items()}
    return [
        Figure(
            "delivery to a null sink",
            database.size,
            value=1 / ratio(seconds["proxy"], seconds["static"]),
            unit="of the same with lmdb maps",
            more={
                "messages_per_second": messages / sorted(seconds["proxy"])[rounds // 2],
                "lmdb_messages_per_second": messages / sorted(seconds["static"])[rounds // 2],
                "spread": spread(seconds["proxy"]),
                "by_processor_time": 1 / ratio(worked["proxy"], worked["static"]),
                "processor_ms_a_message": 1000 * median(worked["proxy"]) / messages,
            },
        )
    ]


def _bare(sink: Path, name: str, text: str) -> str:
    if name != "main.cf":
        return text
    for parameter, value in BARE.items():
        text = re.sub(rf"(?m)^{parameter} = .*$", f"{parameter} = {value.format(sink=sink)}", text)
    return text


def _with_static_maps(tables: Path, text: str) -> str:
    for lookup in lookups.of_daemon("postfix"):
        for way in ("lookup", "direct"):
            text = text.replace(f"${{{way}}}{lookup.name}.cf", f"lmdb:{tables}/{lookup.name}")
    return text


def _export(servers: Servers, database: Database, tables: Path) -> None:
    """Write what our maps answer as static maps. Raises when there is a map that this bench does not know."""
    tables.mkdir(exist_ok=True)
    client = ["mariadb", "--no-defaults", "--user=root", f"--socket={servers.params.database_socket}"]
    for lookup in lookups.of_daemon("postfix"):
        path = tables / lookup.name
        with path.open("wb") as target:
            query = EXPORTS[lookup.name]
            subprocess.run([*client, "-N", "-B", "-q", database.name, "-e", query], check=True, stdout=target)
        postmap = ["postmap", "-c", str(tables.parent), f"lmdb:{path}"]
        subprocess.run(postmap, check=True, env=system_environment())


def deliver(params: Parameters, messages: int) -> float:
    """Send messages to as many mailboxes and return the seconds until the queue is empty."""
    command = [
        *("smtp-source", "-N", "-s", str(SESSIONS), "-m", str(messages), "-l", str(MESSAGE_BYTES)),
        *("-f", "sender@elsewhere.example", "-t", f"box@{VOLUME_DOMAIN}", f"127.0.0.1:{params.smtp_port}"),
    ]
    queues = [params.postfix_queue_dir / name for name in ("incoming", "active", "deferred", "maildrop")]

    def is_empty() -> bool:
        return not any(path.is_file() for queue in queues for path in queue.rglob("*"))

    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=system_environment())
    if not wait_until(is_empty, seconds=60):
        raise RuntimeError(f"mail stays in the queue below {params.postfix_queue_dir}; see {params.postfix_log}")
    return time.perf_counter() - started
