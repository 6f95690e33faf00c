"""Reports as a large receiver sends them about the demo's domains: DMARC by day (RFC 9990), and TLS (RFC 8460).

They tell of mail that this host has sent, of a newsletter service that nobody has set up, and of a forger.
"""

import gzip
import json
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import localtime
from xml.etree.ElementTree import Element, SubElement, tostring

import dkim

from dns.dkim import make_key, public_record
from dns.records import report_address_of
from domains.models import Domain
from stack.layout import REPORTS_ADDRESS
from stack.publish import Published, publish

RECEIVER, SELECTOR = "big-receiver.example", "reports"
OWN, NEWSLETTER, FORGER = "127.0.0.1", "203.0.113.25", "198.51.100.77"
NEWSLETTER_HOST = "out.newsletter.example"
# More than the seven days that the next step of a DMARC policy waits for.
DAYS = 9
SECONDS = 15


@dataclass(frozen=True)
class Source:
    """What one address sent in a day; `signed` and `spf_passed`: aligned with the domain."""

    address: str
    count: int
    signed: bool = False
    spf_passed: bool = False


@dataclass(frozen=True)
class Sample:
    report_id: str
    recipient: str
    document: bytes
    kind: str
    file: str


def samples(domain: Domain, today: datetime, *, is_plagued: bool) -> Iterator[Sample]:
    """Yield a DMARC report for each of the last days and a TLS report for yesterday.

    `is_plagued`: others send in the domain's name too.
    """
    to = report_address_of(REPORTS_ADDRESS, domain.uid)
    midnight = datetime.combine(today.date(), time(), UTC)
    for ago in range(DAYS, 0, -1):
        begins = midnight - timedelta(days=ago)
        sources = [Source(OWN, 40 + 11 * ago % 17, signed=True, spf_passed=True), Source(OWN, 2, signed=True)]
        if is_plagued:
            sources += [Source(NEWSLETTER, 14 + ago % 4), *([Source(FORGER, 3)] if ago in {2, 5} else [])]
        name = f"{RECEIVER}!{domain.domain_name}!{int(begins.timestamp())}!{int(begins.timestamp()) + 86399}"
        yield Sample(name, to, dmarc(domain.domain_name, name, begins, sources), "application/gzip", f"{name}.xml.gz")
    yesterday = midnight - timedelta(days=1)
    name = f"tls-{domain.domain_name}-{yesterday:%Y-%m-%d}"
    yield Sample(name, to, tls(domain.domain_name, name, yesterday), "application/tlsrpt+gzip", f"{name}.json.gz")


def dmarc(domain_name: str, report_id: str, begins: datetime, sources: list[Source]) -> bytes:
    root = Element("feedback", xmlns="urn:ietf:params:xml:ns:dmarc-2.0")
    metadata = SubElement(root, "report_metadata")
    _texts(metadata, org_name="Big Receiver", email=f"dmarc@{RECEIVER}", report_id=report_id)
    begin = int(begins.timestamp())
    _texts(SubElement(metadata, "date_range"), begin=str(begin), end=str(begin + 86399))
    _texts(SubElement(root, "policy_published"), domain=domain_name, p="none", discovery_method="treewalk")
    for source in sources:
        record = SubElement(root, "record")
        row = SubElement(record, "row")
        _texts(row, source_ip=source.address, count=str(source.count))
        results = {"dkim": _result(source.signed), "spf": _result(source.spf_passed)}
        _texts(SubElement(row, "policy_evaluated"), disposition="none", **results)
        _texts(SubElement(record, "identifiers"), header_from=domain_name)
        signer = domain_name if source.signed else NEWSLETTER_HOST
        if source.address != FORGER:
            _texts(SubElement(SubElement(record, "auth_results"), "dkim"), domain=signer, selector="s", result="pass")
    return tostring(root, encoding="utf-8", xml_declaration=True)


def tls(domain_name: str, report_id: str, begins: datetime) -> bytes:
    policy = {
        "policy": {"policy-type": "no-policy-found", "policy-domain": domain_name},
        "summary": {"total-successful-session-count": 51, "total-failure-session-count": 1},
        "failure-details": [
            {
                "result-type": "starttls-not-supported",
                "receiving-mx-hostname": "mail.mailhost.example",
                "failed-session-count": 1,
            }
        ],
    }
    period = {
        "start-datetime": f"{begins:%Y-%m-%dT%H:%M:%SZ}",
        "end-datetime": f"{begins + timedelta(seconds=86399):%Y-%m-%dT%H:%M:%SZ}",
    }
    head = {"organization-name": "Big Receiver", "date-range": period, "contact-info": f"tls@{RECEIVER}"}
    return json.dumps({**head, "report-id": report_id, "policies": [policy]}).encode()


def deliver(info: dict, reports: list[Sample]) -> None:
    """Send reports to the stack's port 25, each signed by the receiver, whose key and whose sources' names are in DNS.

    `info` is stack.json. Raises OSError and smtplib.SMTPException.
    """
    pair = make_key()
    reverse = ".".join(reversed(NEWSLETTER.split(".")))
    publish(
        info["dns"],
        [
            Published(f"{SELECTOR}._domainkey.{RECEIVER}.", "TXT", public_record(pair.public_key)),
            Published(f"{NEWSLETTER_HOST}.", "A", NEWSLETTER),
            Published(f"{reverse}.in-addr.arpa.", "PTR", f"{NEWSLETTER_HOST}."),
        ],
    )
    with smtplib.SMTP(info["smtp"]["host"], info["smtp"]["port"], timeout=SECONDS) as smtp:
        for report in reports:
            raw = message(report).as_bytes().replace(b"\n", b"\r\n")
            signature = dkim.sign(raw, SELECTOR.encode(), RECEIVER.encode(), pair.private_pem)
            smtp.sendmail(f"bounces@{RECEIVER}", [report.recipient], signature + raw)


def message(report: Sample) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = f"reports@{RECEIVER}", report.recipient
    made["Subject"] = f"Report Domain: {report.report_id} Submitter: {RECEIVER}"
    made["Message-ID"], made["Date"] = f"<{report.report_id}@{RECEIVER}>", localtime()
    made.set_content("A report is attached.")
    maintype, _, subtype = report.kind.partition("/")
    packed = gzip.compress(report.document)
    made.add_attachment(packed, maintype=maintype, subtype=subtype, filename=report.file)
    return made


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _result(passed: bool) -> str:
    return "pass" if passed else "fail"
