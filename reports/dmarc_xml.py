"""DMARC aggregate reports as plain values: RFC 9990, and the form of RFC 7489 that many still send."""

import io
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from domains.names import is_below, normalise_host
from mailhost.errors import Refused
from reports.unpacking import Broken

MOST_RECORDS = 10_000
# Records of forty elements each, which none has; ten million bytes of empty ones would take seconds and 250 MB.
MOST_ELEMENTS = 400_000
MOST_MESSAGES = 2**40
LONGEST = 255
DISPOSITIONS = frozenset({"none", "pass", "quarantine", "reject"})


@dataclass(frozen=True)
class Row:
    """Messages from one address with one result. `signed_by`: the domain whose signature verified, or ""."""

    source: str
    count: int
    is_dkim_aligned: bool
    is_spf_aligned: bool
    disposition: str
    signed_by: str = ""


@dataclass(frozen=True)
class DmarcReport:
    reporter: str
    report_id: str
    domain_name: str
    begins_at: datetime
    ends_at: datetime
    policy: dict[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()


def read_dmarc(document: bytes) -> DmarcReport:
    """Return what the document says. Raises Broken."""
    metadata, policy, rows = Element("none"), Element("none"), []
    for element in elements(document):
        match local(element):
            case "report_metadata":
                metadata = element
            case "policy_published":
                policy = element
            case "record":
                rows.append(element)
        if len(rows) > MOST_RECORDS:
            raise Broken(f"The report has more than {MOST_RECORDS} records.")
    domain_name = name_of(text(policy, "domain"))
    begins_at, ends_at = moment(text(metadata, "date_range", "begin")), moment(text(metadata, "date_range", "end"))
    if ends_at < begins_at:
        raise Broken("The report ends before it begins.")
    return DmarcReport(
        reporter=named(text(metadata, "org_name"), "org_name"),
        report_id=named(text(metadata, "report_id"), "report_id"),
        domain_name=domain_name,
        begins_at=begins_at,
        ends_at=ends_at,
        policy={name: text(policy, name)[:20] for name in ("p", "sp", "np", "adkim", "aspf", "testing", "fo")},
        rows=tuple(row for element in rows if (row := read_row(element, domain_name))),
    )


def elements(document: bytes) -> Iterator[Element]:
    """Yield the children of the root as they end. Neither a document type nor an entity is let in."""
    depth = number = 0
    try:
        for event, element in iterparse(io.BytesIO(document), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            number += event == "start"
            if number > MOST_ELEMENTS:
                raise Broken(f"The document has more than {MOST_ELEMENTS} elements.")
            if event == "start" and depth == 1 and local(element) != "feedback":
                raise Broken("The document is no DMARC report.")
            if event == "start" and depth > 20:
                raise Broken("The document is nested too deeply.")
            if event == "end" and depth == 1:
                yield element
    except (DefusedXmlException, ParseError, LookupError):
        raise Broken("The document is no XML that is read here.") from None


def address(written: str) -> str:
    """Return an IP address in its one form. Raises ValueError, also for one with a zone (RFC 4007), which only means
    something on the machine that wrote it."""
    if "%" in written:
        raise ValueError(written)
    return str(ipaddress.ip_address(written))


def read_row(record: Element, domain_name: str) -> Row | None:
    """Return a record as a row, None for one about mail of another domain. Raises Broken."""
    header_from = text(record, "identifiers", "header_from").rstrip(".").lower() or domain_name
    if header_from != domain_name and not is_below(header_from, domain_name):
        return None
    try:
        source = address(text(record, "row", "source_ip"))
        count = int(text(record, "row", "count"))
    except ValueError:
        raise Broken("A record names no address, or no number of messages.") from None
    if not 0 < count <= MOST_MESSAGES:
        raise Broken("A record counts an impossible number of messages.")
    evaluated = child(record, "row", "policy_evaluated")
    disposition = text(evaluated, "disposition").lower()
    return Row(
        source=source,
        count=count,
        is_dkim_aligned=text(evaluated, "dkim").lower() == "pass",
        is_spf_aligned=text(evaluated, "spf").lower() == "pass",
        disposition=disposition if disposition in DISPOSITIONS else "none",
        signed_by=signer(record),
    )


def signer(record: Element) -> str:
    for one in child(record, "auth_results"):
        if local(one) == "dkim" and text(one, "result").lower() == "pass":
            return text(one, "domain").lower()[:LONGEST]
    return ""


def local(element: Element) -> str:
    """Return an element's name without its namespace: reports of both forms come with and without one."""
    return element.tag.rpartition("}")[2]


def child(parent: Element, *path: str) -> Element:
    for name in path:
        parent = next((one for one in parent if local(one) == name), Element("none"))
    return parent


def text(parent: Element, *path: str) -> str:
    return (child(parent, *path).text or "").strip()


def named(value: str, what: str) -> str:
    """Return a name for people, with control characters gone. Raises Broken when it is empty or too long."""
    value = "".join(sign for sign in value if sign.isprintable())
    if not 0 < len(value) <= LONGEST:
        raise Broken(f"The report has no {what}, or a very long one.")
    return value


def name_of(value: str) -> str:
    try:
        return normalise_host(value.strip())
    except Refused:
        raise Broken("The report names no domain.") from None


def moment(value: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        raise Broken("The report's period cannot be read.") from None
