"""Reports that real Postfix and Dovecot delivered are read over IMAPS; each message is looked at once."""

import gzip
import secrets
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import localtime

import dkim
import pytest
from django.test import override_settings
from django.utils import timezone

from accounts.operations import create_user
from dns.dkim import make_key, public_record
from dns.records import report_address_of
from mailhost.scope import every_tenant
from reports import mailbox, operations
from reports.mailbox import Unreachable, opened
from reports.models import DmarcCount, SetAside
from stack.publish import Published, publish
from tenants.models import Role
from tests.apiside import Caller
from tests.apiside import make_key as make_api_key
from tests.mail.conftest import PASSWORD, acme, mail_stack, post  # noqa: F401  fixtures
from tests.reports.conftest import dmarc_xml, row
from tests.webside import signed_in

NOTHING = {"counted": 0, "duplicate": 0, "set_aside": 0, "put_off": 0}


@pytest.fixture
def reports_box(live, acme, settings):  # noqa: F811
    box = acme.mailbox("reports")
    settings.MAILHOST_DMARC_REPORTS = settings.MAILHOST_TLS_REPORTS = box.email
    settings.MAILHOST_REPORTS_LOGIN, settings.MAILHOST_REPORTS_PASSWORD = box.email, PASSWORD
    settings.MAILHOST_REPORTS_IMAP_HOST, settings.MAILHOST_REPORTS_IMAP_PORT = "localhost", live.port("imaps")
    settings.MAILHOST_REPORTS_CA_FILE = str(live.home / "tls/ca.pem")
    return box


@pytest.fixture
def send_report(post, acme, reports_box) -> Callable[..., str]:  # noqa: F811
    """Have a receiver send a report about Acme's domain, in somebody's name; return its Message-ID once it is there."""
    receiver = f"receiver-{secrets.token_hex(4)}.example"
    pair = make_key()
    publish(post.stack.info["dns"], [Published(f"s1._domainkey.{receiver}.", "TXT", public_record(pair.public_key))])
    name, to = acme.domain.domain_name, report_address_of(reports_box.email, acme.domain.uid)

    def send(sender: str = receiver) -> str:
        document = dmarc_xml(row(header_from=name), domain=name, report_id=secrets.token_hex(8))
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"dmarc@{sender}", to, "Report"
        message["Message-ID"], message["Date"] = f"<{secrets.token_hex(8)}@{sender}>", localtime()
        message.add_attachment(gzip.compress(document), maintype="application", subtype="gzip")
        raw = message.as_bytes().replace(b"\n", b"\r\n")
        with post.outside() as smtp:
            smtp.sendmail(f"dmarc@{receiver}", [to], dkim.sign(raw, b"s1", receiver.encode(), pair.private_pem) + raw)
        post.arrived((reports_box.email, PASSWORD), message["Message-ID"])
        return message["Message-ID"]

    return send


def read() -> dict[str, int]:
    with every_tenant("the task's part"):
        return operations.read_mailbox(timezone.now())


def test_delivered_reports_are_counted_shown_and_broken_ones_set_aside_once(
    acme,  # noqa: F811
    reports_box,
    send_report,
    plain_static,
    monkeypatch,
):
    # Both messages are found, though a search looks at one of them.
    monkeypatch.setattr(mailbox, "SEARCHED_AT_ONCE", 1)
    send_report()
    forged = send_report("google.example")
    with override_settings(MAILHOST_NAMESERVERS=["127.0.0.1@9"]):
        assert read() == NOTHING | {"put_off": 1, "set_aside": 1}
        assert read() == NOTHING | {"put_off": 1}
    assert read() == NOTHING | {"counted": 1}
    assert read() == NOTHING

    with every_tenant("a test looks at its rows"):
        assert DmarcCount.objects.get(domain=acme.domain).count == 3
    told = Caller(make_api_key(acme.tenant)).read(f"/domains/{acme.domain.domain_name}/reports/dmarc")
    assert [(one["address"], one["messages"], one["aligned"]) for one in told["sources"]] == [("192.0.2.25", 3, 3)]
    email = f"owner@{acme.domain.domain_name}"
    owner = create_user(acme.actor, tenant=acme.tenant, email=email, role=Role.OWNER, password=PASSWORD).user
    page = signed_in(owner).get(f"/domains/{acme.domain.uid}/reports/")
    assert ("192.0.2.25" in page.content.decode(), page.context["total"]) == (True, 3)
    assert "google.example" in SetAside.objects.get(message_id=forged).reason
    with opened() as box:
        assert box.connection.select('"Set aside"')[1] == [b"1"]


def test_what_dns_does_not_tell_for_three_days_is_set_aside(send_report):
    late = send_report()

    with override_settings(MAILHOST_NAMESERVERS=["127.0.0.1@9"]), every_tenant("the task's part"):
        assert operations.read_mailbox(timezone.now()) == NOTHING | {"put_off": 1}
        after = timezone.now() + operations.WAITS
        assert operations.read_mailbox(after) == NOTHING | {"set_aside": 1}

    assert "DNS gave no answer" in SetAside.objects.get(message_id=late).reason


def test_a_mailbox_that_does_not_open_leaves_its_messages_where_they_are(reports_box, settings):
    settings.MAILHOST_REPORTS_PASSWORD = "wrong"

    with pytest.raises(Unreachable):
        read()
