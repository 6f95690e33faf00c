"""The records of a domain in the order in which people set them up, in their words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dns.models import DnsRecord, Purpose, Status
from dns.records import why


@dataclass(frozen=True)
class Group:
    """Records that do one thing together."""

    title: str
    reason: str
    purposes: tuple[str, ...]
    records: list["ShownRecord"] = field(default_factory=list)


GROUPS = (
    ("Prove that it is yours", "Until this is found, no mail is taken for the domain.", (Purpose.OWNERSHIP,)),
    ("Receive mail", "Point it here when the mailboxes are ready: mail follows within the hour.", (Purpose.MX,)),
    (
        "Send mail",
        "Who reads your mail checks these before trusting it.",
        (Purpose.SPF, Purpose.DKIM, Purpose.DMARC),
    ),
)

NAMES = {
    Purpose.OWNERSHIP: "Ownership",
    Purpose.MX: "Mail exchanger (MX)",
    Purpose.SPF: "Allowed servers (SPF)",
    Purpose.DKIM: "Signature key (DKIM)",
    Purpose.DMARC: "Policy (DMARC)",
}

# What a status looks like: tone of the chip, and its word.
STATUS_WORDS = {
    Status.OK: ("ok", "Found"),
    Status.MISSING: ("problem", "Missing"),
    Status.MISMATCH: ("problem", "Differs"),
    Status.TEMPORARY_FAILURE: ("waiting", "DNS did not answer"),
    Status.NOT_CHECKED: ("waiting", "Not checked"),
}


@dataclass(frozen=True)
class ShownRecord:
    """A record as a page shows it; `host` is its name relative to the domain, as most DNS editors want it."""

    record: DnsRecord
    title: str
    reason: str
    host: str
    value: str
    tone: str
    word: str


def groups(domain_name: str, records: Iterable[DnsRecord]) -> list[Group]:
    """Return the groups that have records, each in the order of its purposes."""
    shown = [Group(*group) for group in GROUPS]
    for record in records:
        for group in shown:
            if record.purpose in group.purposes:
                group.records.append(_shown(domain_name, record))
    for group in shown:
        group.records.sort(key=lambda line: (group.purposes.index(line.record.purpose), line.record.name))
    return [group for group in shown if group.records]


def _shown(domain_name: str, record: DnsRecord) -> ShownRecord:
    tone, word = STATUS_WORDS[Status(record.status)]
    return ShownRecord(
        record=record,
        title=NAMES[Purpose(record.purpose)],
        reason=why(record.purpose),
        host="@" if record.name == domain_name else record.name.removesuffix(f".{domain_name}"),
        value=record.value,
        tone=tone,
        word=word,
    )
