"""A domain's names on the running stack: DNS leads them here, and what programs ask over HTTPS is what really works."""

import base64
import hashlib
import json
import plistlib
import secrets
import ssl
import subprocess
from urllib.parse import urlsplit

import pytest
from defusedxml.ElementTree import fromstring

from dns import tasks
from dns.lookup import look_up
from dns.models import DnsRecord, Status
from dns.policy_operations import set_mta_sts_mode
from dns.record_operations import expected_of
from mailhost.scope import every_tenant
from stack.asking import ask
from stack.publish import Published, publish
from tests.clientsetup.test_documents import ASKED, OUTLOOK
from tests.mail.client import Post
from tests.mail.conftest import PASSWORD, acme, mail_stack, post  # noqa: F401  fixtures


class Asked:
    """A customer's domain whose records all stand in DNS, asked as programs ask."""

    def __init__(self, customer) -> None:
        self.customer, self.info = customer, customer.stack.info
        self.name = customer.domain.domain_name

    def publish(self) -> None:
        """Publish what the panel shows, as a customer does, and have the panel look."""
        tasks.refresh_records(self.customer.domain.pk)
        with every_tenant("a test publishes a customer's records"):
            rows = list(DnsRecord.objects.filter(domain=self.customer.domain))
        publish(self.info["dns"], [Published(f"{row.name}.", row.record_type, value_of(row)) for row in rows])
        tasks.check_records(self.customer.domain.pk)

    def problems(self) -> dict[str, str]:
        """Return what the panel says of records that it has not found."""
        with every_tenant("a test looks at its rows"):
            rows = DnsRecord.objects.filter(domain=self.customer.domain).exclude(status=Status.OK)
            return {row.name: row.problem for row in rows}

    def read(self, label: str, path: str, body: bytes | None = None) -> bytes:
        host = f"{label}.{self.name}"
        lead = look_up(host, "A")
        assert (lead.aliases, lead.values) == ((self.info["setup_host"],), ("127.0.0.1",))
        answer, content = ask(self.info, host, path, body, {"Content-Type": "text/xml"})
        assert answer.status == 200, content
        return content


def value_of(row: DnsRecord) -> str:
    return row.value if row.record_type == "TXT" else expected_of(row).rdata


@pytest.fixture
def asked(acme) -> Asked:  # noqa: F811
    asked = Asked(acme)
    asked.publish()
    assert asked.problems() == {}
    return asked


def test_programs_are_led_to_servers_that_work(asked, post):  # noqa: F811
    address = asked.customer.login("anna")[0]

    # Thunderbird, by both of its ways.
    found = asked.read("autoconfig", f"/mail/config-v1.1.xml?emailaddress={address}")
    assert found == asked.read("autoconfig", "/.well-known/autoconfig/mail/config-v1.1.xml")
    assert found == asked.read("autoconfig", f"/mail/config-v1.1.xml?emailaddress=nobody@{asked.name}")
    server = fromstring(found).find("emailProvider/incomingServer")
    assert (server.get("type"), server.findtext("socketType")) == ("imap", "SSL")
    sign_in(post, server.findtext("hostname"), int(server.findtext("port")), address)

    # Outlook: the newer one is told where the XML is, and asks there.
    told = asked.read("autodiscover", f"/AutoDiscover/AutoDiscover.JSON?Email={address}&Protocol=AutodiscoverV1")
    url = urlsplit(json.loads(told)["Url"])
    for path in (url.path, "/AutoDiscover/AutoDiscover.XML"):
        xml = fromstring(asked.read(url.hostname.partition(".")[0], path, (ASKED % address).encode()))
        imap = next(one for one in xml.iter(f"{OUTLOOK}Protocol") if one.findtext(f"{OUTLOOK}Type") == "IMAP")
        login = imap.findtext(f"{OUTLOOK}LoginName")
        sign_in(post, imap.findtext(f"{OUTLOOK}Server"), int(imap.findtext(f"{OUTLOOK}Port")), login)

    # Apple: the profile is signed, for the authority that the device trusts.
    signed = asked.read("autoconfig", f"/mail/apple.mobileconfig?emailaddress={address}")
    authority = asked.info["tls"]["ca_file"]
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-purpose", "any", "-CAfile", authority]
    profile = plistlib.loads(subprocess.run(command, input=signed, capture_output=True, check=True).stdout)
    [account] = profile["PayloadContent"]
    host, port = account["IncomingMailServerHostName"], account["IncomingMailServerPortNumber"]
    sign_in(post, host, port, account["IncomingMailServerUsername"])

    # PACC: DNS pins the very bytes.
    pinned = asked.read("ua-auto-config", "/.well-known/user-agent-configuration.json")
    digest = base64.b64encode(hashlib.sha256(pinned).digest()).decode()
    assert look_up(f"_ua-auto-config.{asked.name}", "TXT").values == (f"v=UAAC1; a=sha256; d={digest}",)

    # RFC 6186 and 8314.
    assert look_up(f"_imaps._tcp.{asked.name}", "SRV").values == (f"0 1 993 {asked.info['tls']['hostname']}.",)


def sign_in(post: Post, host: str, port: int, login: str) -> None:  # noqa: F811
    """Sign in where a program was told to, with the name that it was told."""
    assert (look_up(host, "A").values, host, port) == (("127.0.0.1",), post.hostname, post.stack.port("imaps"))
    post.imap((login, PASSWORD)).logout()


def test_a_policy_is_served_fetched_and_found_right(asked, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", asked.info["tls"]["ca_file"])
    policy_host, path = f"mta-sts.{asked.name}", "/.well-known/mta-sts.txt"
    with pytest.raises(ssl.SSLError):
        ask(asked.info, policy_host, path)

    set_mta_sts_mode(asked.customer.actor, domain=asked.customer.domain, mode="testing")
    asked.publish()
    # Its certificate comes once the panel has seen that the name leads here.
    assert f"{policy_host} could not be asked" in asked.problems()[f"_{policy_host}"]
    tasks.check_records(asked.customer.domain.pk)

    policy = asked.read("mta-sts", path)
    assert b"mode: testing\r\n" in policy
    assert asked.problems() == {}
    digest = hashlib.sha256(policy).hexdigest()
    assert look_up(f"_{policy_host}", "TXT").values == (f"v=STSv1; id={digest[:32]}",)


def test_a_name_of_nobody_here_gets_no_certificate_and_no_answer(live):
    for name in (f"autoconfig.{secrets.token_hex(4)}.example", "evil.example", "www.mailhost.example"):
        with pytest.raises(ssl.SSLError):
            ask(live.info, name, "/mail/config-v1.1.xml")

    answer, _ = ask(live.info, live.info["setup_host"], "/sign-in/")
    assert answer.status == 400
