"""Put records into the stack's name server by dynamic update (RFC 2136, signed with TSIG), as a DNS host would."""

from collections.abc import Iterable
from dataclasses import dataclass

from dns.name import from_text
from dns.query import tcp
from dns.rcode import NOERROR, to_text
from dns.tsig import Key
from dns.update import UpdateMessage

TXT_STRING_BYTES = 255
SECONDS = 5


class NotPublished(Exception):
    """The name server refused an update."""


@dataclass(frozen=True)
class Published:
    """One record as people write it: an MX as "10 mail.example.", a TXT without quotes. `name` is absolute."""

    name: str
    record_type: str
    value: str
    ttl: int = 60


def publish(dns: dict, records: Iterable[Published]) -> None:
    """Make each record the only one of its name and type. `dns` is that part of stack.json. Raises NotPublished."""
    wanted = list(records)
    by_zone: dict[str, list[Published]] = {}
    for record in wanted:
        by_zone.setdefault(zone_of(dns["zones"], record.name), []).append(record)
    for zone, its_records in by_zone.items():
        update = _update(dns, zone)
        for name, record_type in {(record.name, record.record_type) for record in its_records}:
            update.delete(from_text(name), record_type)
        for record in its_records:
            update.add(from_text(record.name), record.ttl, record.record_type, rdata(record))
        _send(dns, update)


def withdraw(dns: dict, name: str, record_type: str) -> None:
    """Delete what stands under this name and type. Raises NotPublished."""
    update = _update(dns, zone_of(dns["zones"], name))
    update.delete(from_text(name), record_type)
    _send(dns, update)


def zone_of(zones: list[str], name: str) -> str:
    """Return the longest zone that holds the name. Raises NotPublished when none does."""
    name = name.rstrip(".").lower()
    fitting = [zone for zone in zones if name == zone or name.endswith(f".{zone}")]
    if not fitting:
        raise NotPublished(f"{name} is in none of the zones {', '.join(zones)}")
    return max(fitting, key=len)


def rdata(record: Published) -> str:
    """Return the record's value in the zone file's form: a long TXT in several strings (RFC 7208, 3.3)."""
    if record.record_type != "TXT":
        return record.value
    text = record.value.replace("\\", "\\\\").replace('"', '\\"')
    parts = [text[start : start + TXT_STRING_BYTES] for start in range(0, len(text), TXT_STRING_BYTES)] or [""]
    return " ".join(f'"{part}"' for part in parts)


def _update(dns: dict, zone: str) -> UpdateMessage:
    key = dns["update_key"]
    return UpdateMessage(f"{zone}.", keyring=Key(f"{key['name']}.", key["secret"], key["algorithm"]))


def _send(dns: dict, update: UpdateMessage) -> None:
    answer = tcp(update, dns["host"], timeout=SECONDS, port=dns["port"])
    if answer.rcode() != NOERROR:
        raise NotPublished(f"the name server answered {to_text(answer.rcode())}")
