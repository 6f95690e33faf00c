"""What a domain should publish in DNS, as plain values; nothing here asks anybody."""

from collections.abc import Iterable
from dataclasses import dataclass

from dns.dkim import public_record
from dns.models import Necessity, Purpose

CHALLENGE_LABEL = "_mailhost-challenge"
TTL_SECONDS = 3600
MX_PRIORITY = 10
MAX_NAME = 253

WHY = {
    Purpose.OWNERSHIP: "Shows that whoever runs this domain's DNS has asked for its mail to live here.",
    Purpose.MX: "Tells other mail servers to deliver this domain's mail here.",
    Purpose.SPF: "Names the servers that may send for this domain, so that receivers trust its mail.",
    Purpose.DKIM: "Holds the public key with which receivers verify the signature on this domain's mail.",
    Purpose.DMARC: "Tells receivers what to do with mail that only pretends to come from this domain.",
}


@dataclass(frozen=True)
class SigningKey:
    """The public side of a key that DNS must show."""

    selector: str
    public_key: str


@dataclass(frozen=True)
class ExpectedRecord:
    """One record that should stand in DNS. `name` is absolute, without the trailing dot; an MX keeps its
    preference in `priority`, its host alone in `value`."""

    purpose: str
    record_type: str
    name: str
    value: str
    necessity: str
    priority: int | None = None
    ttl: int = TTL_SECONDS

    @property
    def why(self) -> str:
        return why(self.purpose)


def why(purpose: str) -> str:
    """Return the sentence that says what a record is for."""
    return WHY[Purpose(purpose)]


def challenge_name(domain_name: str) -> str:
    return f"{CHALLENGE_LABEL}.{domain_name}"


def challenge_value(challenge: str) -> str:
    return f"mailhost-verification={challenge}"


def dkim_name(selector: str, domain_name: str) -> str:
    return f"{selector}._domainkey.{domain_name}"


def expected_records(
    domain_name: str, *, challenge: str, mail_host: str, keys: Iterable[SigningKey]
) -> list[ExpectedRecord]:
    """Return what the domain should publish, in the order in which people set it up.

    A name that DNS cannot hold (over 253 characters, below a very long domain) is left out.
    """
    wanted = [
        ExpectedRecord(
            Purpose.OWNERSHIP, "TXT", challenge_name(domain_name), challenge_value(challenge), Necessity.REQUIRED
        ),
        ExpectedRecord(Purpose.MX, "MX", domain_name, mail_host, Necessity.REQUIRED, priority=MX_PRIORITY),
        ExpectedRecord(Purpose.SPF, "TXT", domain_name, "v=spf1 mx ~all", Necessity.REQUIRED),
        *(
            ExpectedRecord(
                Purpose.DKIM,
                "TXT",
                dkim_name(key.selector, domain_name),
                public_record(key.public_key),
                Necessity.REQUIRED,
            )
            for key in keys
        ),
        ExpectedRecord(Purpose.DMARC, "TXT", f"_dmarc.{domain_name}", "v=DMARC1; p=none", Necessity.RECOMMENDED),
    ]
    return [record for record in wanted if len(record.name) <= MAX_NAME]
