"""What the installation's own host should show in DNS, as plain values; nothing here asks anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

from dns import dane
from dns.models import Necessity, Purpose
from dns.records import MAX_NAME, ExpectedRecord, Installation


@dataclass(frozen=True)
class OwnHost:
    """The mail host by its name and addresses, and the other names of the installation that lead to it.

    `keys`: digests of the keys of its certificate, the one in use and the next one (`dns.dane`). They are offered where
    the host's zone `is_signed` alone: without DNSSEC nobody believes them. `setup_addresses`: those of the set-up host,
    which may be another machine.
    """

    installation: Installation
    addresses: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    is_signed: bool = False
    setup_addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.installation.mail_host


def known_addresses() -> list[str]:
    """Return MAILHOST_ADDRESSES, each in its one form."""
    return [str(ip_address(text.strip())) for text in settings.MAILHOST_ADDRESSES]


def host_records(host: OwnHost) -> list[ExpectedRecord]:
    """Return what the host should show, in the order in which people set it up."""
    wanted = [
        *(record for address in host.addresses for record in address_records(host.name, address)),
        ExpectedRecord(Purpose.GREETING, "TXT", host.name, "v=spf1 a -all", Necessity.RECOMMENDED),
        *customer_records(host.installation),
        *setup_records(host),
        *(tlsa_records(host.name, host.keys) if host.is_signed else ()),
    ]
    return [record for record in wanted if len(record.name) <= MAX_NAME]


def address_records(name: str, address: str) -> list[ExpectedRecord]:
    """Return the pair that leads from the name to an address and back."""
    return [
        address_record(Purpose.ADDRESS, name, address),
        # Whoever sends over an address needs its name, whichever version it is of.
        ExpectedRecord(Purpose.PTR, "PTR", ip_address(address).reverse_pointer, name, Necessity.REQUIRED),
    ]


def address_record(purpose: str, name: str, address: str) -> ExpectedRecord:
    ip = ip_address(address)
    kind, necessity = ("A", Necessity.REQUIRED) if ip.version == 4 else ("AAAA", Necessity.RECOMMENDED)
    return ExpectedRecord(purpose, kind, name, str(ip), necessity)


def customer_records(installation: Installation) -> list[ExpectedRecord]:
    """Return what records of customers rest on."""
    records = []
    if installation.spf_include:
        value = f"v=spf1 a:{installation.mail_host} -all"
        records.append(ExpectedRecord(Purpose.SPF_INCLUDE, "TXT", installation.spf_include, value, Necessity.REQUIRED))
    if domain := installation.dmarc_reports.rpartition("@")[2]:
        name = f"*._report._dmarc.{domain}"
        records.append(ExpectedRecord(Purpose.REPORTS_TAKEN, "TXT", name, "v=DMARC1", Necessity.RECOMMENDED))
    return records


def setup_records(host: OwnHost) -> list[ExpectedRecord]:
    """Return what leads to the set-up host; as long as nobody has seen where it is, it is the mail host."""
    name = host.installation.setup_host
    if name in {"", host.name}:
        return []
    return [address_record(Purpose.SETUP_HOST, name, address) for address in host.setup_addresses or host.addresses]


def tlsa_records(name: str, keys: Sequence[str]) -> list[ExpectedRecord]:
    return [
        ExpectedRecord(Purpose.TLSA, "TLSA", dane.name(name), dane.value(key), Necessity.OPTIONAL)
        for key in dict.fromkeys(keys)
    ]
