"""A receiver of mail that reports: its signing key stands in a DNS of the test's own."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import dkim
import pytest
from django.utils import timezone

from dns.dkim import make_key, public_record
from dns.records import report_address_of
from tests.dns.conftest import dns_server  # noqa: F401  a fixture
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import verified_domain, world  # noqa: F401  a fixture

REPORTS = "reports@mailhost.example"
RECEIVER = "receiver.example"
YESTERDAY = (timezone.now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
RECORD = """<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>
<disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><header_from>{header_from}</header_from></identifiers>
<auth_results><dkim><domain>{header_from}</domain><selector>s1</selector><result>{dkim}</result></dkim></auth_results>
</record>"""


def row(source: str = "192.0.2.25", count: int = 3, dkim: str = "pass", spf: str = "pass", **more: str) -> str:
    values = {"disposition": "none", "header_from": "acme.example"} | more
    return RECORD.format(source=source, count=count, dkim=dkim, spf=spf, **values)


def dmarc_xml(
    *rows: str, domain: str = "acme.example", report_id: str = "r-1", day=YESTERDAY, namespace: str = ""
) -> bytes:
    begin = int(day.timestamp())
    return f"""<?xml version="1.0"?><feedback{namespace}><report_metadata><org_name>Receiver</org_name>
<email>dmarc@receiver.example</email><report_id>{report_id}</report_id>
<date_range><begin>{begin}</begin><end>{begin + 86399}</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><p>none</p></policy_published>
{"".join(rows or [row()])}</feedback>""".encode()


@pytest.fixture(scope="session")
def signing_key() -> tuple[bytes, str]:
    pair = make_key()
    return pair.private_pem, pair.public_key


@pytest.fixture
def acme(world, settings, dns_server, signing_key, fresh_cache):  # noqa: F811
    """Acme's domain, with a receiver whose key is published."""
    settings.MAILHOST_DMARC_REPORTS = settings.MAILHOST_TLS_REPORTS = REPORTS
    dns_server.says_text(f"s1._domainkey.{RECEIVER}", public_record(signing_key[1]))
    return verified_domain(world.as_acme, "acme.example")


@pytest.fixture
def mail(signing_key) -> Callable[..., bytes]:
    """Write a message as a receiver does: `mail(domain, document)`."""

    def write(
        domain,
        document: bytes,
        *,
        pack=gzip.compress,
        sign: bool = True,
        to: str = "",
        sender=RECEIVER,
        copies: int = 1,
    ) -> bytes:
        message = EmailMessage()
        message["From"], message["Subject"] = f"reports@{sender}", "Report Domain: acme.example"
        message["Message-ID"] = "<1@receiver.example>"
        message.set_content("A report.")
        for _ in range(copies):
            message.add_attachment(pack(document), maintype="application", subtype="gzip", filename="report.xml.gz")
        raw = message.as_bytes().replace(b"\n", b"\r\n")
        if sign:
            raw = dkim.sign(raw, b"s1", RECEIVER.encode(), signing_key[0]) + raw
        return f"Delivered-To: <{to or report_address_of(REPORTS, domain.uid)}>\r\n".encode() + raw

    return write
