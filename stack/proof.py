"""Fill the demo's world and prove on it that mail works: `python -m stack.proof`, run by `make demo`.

Prints one line per step. A step that fails ends it with status 1; the reason is the last line of proof.log.
"""

import imaplib
import json
import os
import smtplib
import ssl
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import django
import dkim

django.setup()

from django.utils import timezone

from clientsetup.hosts import AUTOCONFIG, PACC
from dns.host_operations import look_at_own_host
from dns.lookup import look_up
from dns.models import DnsRecord, Purpose, Status
from dns.record_operations import check_records, expected_of
from health.host_keys import digests_of_keys
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from reports.models import Report
from reports.operations import read_mailbox
from stack.asking import ask
from stack.layout import write_private
from stack.publish import Published, publish
from stack.sample_reports import deliver, samples
from stack.steps import step
from stack.world import ACME, BOLT, SignIns, World

PATIENCE_SECONDS = 60
SMTP_SECONDS = 15
T = TypeVar("T")


class ProofFailed(Exception):
    """What should be so is not; the message says what was seen."""


def main() -> int:
    info = json.loads(Path(os.environ["MAILHOST_STACK"]).read_text())
    try:
        prove(info)
    except ProofFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def prove(info: dict) -> None:
    """Fill the world of this stack (the contents of stack.json) and send a message through it."""
    with step("World: operator, reseller, two customers, four domains"):
        home = Path(info["home"])
        sign_ins = SignIns(home / "sign-ins.json")
        # The panel reads this mailbox, so it was given the password before.
        sign_ins.keep(info["reports"]["email"], "password", info["reports"]["password"])
        world = World(sign_ins)
        world.fill_accounts()
    _publish_and_move_in(info, world)
    _sign_and_check(info, world)
    write_private(home / "world.json", json.dumps(world.people(), indent=1))
    with step("Panel and REST API answer") as notes:
        notes.extend(_ask_the_panel(info, world.people()["customers"][0]["api_key"]))
    _send_and_read(info, world, next(iter(ACME.mailboxes)), next(iter(BOLT.mailboxes)))
    _look_at_the_host()
    _set_up(info)
    _report(info, world)


def _publish_and_move_in(info: dict, world: World) -> None:
    with step("Ownership records published by DNS update"):
        names = {domain.domain_name for _, _, domain in world.domains()}
        records = until(
            lambda: _if_complete(world.records(Purpose.OWNERSHIP), len(names)), "the worker to write the records"
        )
        publish(info["dns"], map(published, records))
    with step("Domains verified; mailboxes, aliases, a catch-all") as notes:
        try:
            notes.append("{} mailboxes, {} alias targets".format(*world.move_in()))
        except Refused as refused:
            raise ProofFailed(str(refused)) from refused


def _sign_and_check(info: dict, world: World) -> None:
    names = [domain.domain_name for _, _, domain in world.domains()]
    with step("DKIM keys made") as notes:
        # Each domain's records are written in one go: the aliases of a key are there together, or none is.
        keys = until(lambda: _of_all(world.records(Purpose.DKIM), len(names)), "a DKIM key for each domain")
        notes.extend(f"{key.name} {key.record_type}" for key in keys)
    with step("MX, SPF, DKIM, DMARC and SRV published, and found by the panel") as notes:
        publish(info["dns"], map(published, world.records()))
        for _, actor, domain in world.domains():
            check_records(actor, domain=domain)
        until(
            lambda: all(record.status == Status.OK for record in world.records()),
            "every record to be found in DNS",
            lambda: [f"{record}: {record.problem}" for record in world.records() if record.status != Status.OK],
        )
        notes.append(f"{len(world.records())} records of {len(names)} domains")
    with step("OpenDKIM signs with the keys that DNS shows"):
        table = Path(info["opendkim"]["signing_table"])
        until(lambda: all(name in table.read_text() for name in names), f"every domain in {table}")


def _send_and_read(info: dict, world: World, sender: str, recipient: str) -> None:
    password = world.sign_ins.password
    with step(f"{sender} sends to {recipient}: STARTTLS, signed in"):
        message = write(sender, recipient)
        send(info, sender, password(sender), message)
    with step(f"{recipient} reads it over IMAPS") as notes:
        received = until(
            lambda: read(info, recipient, password(recipient), message["Message-ID"]), f"the message in {recipient}"
        )
        notes.append(f"Subject: {_header(received, b'subject')}")
    with step("Its DKIM signature verifies against the key in DNS") as notes:
        notes.extend(verify(received, sender.rpartition("@")[2]))


def _look_at_the_host() -> None:
    with step("The mail host's own records are as other servers want them") as notes:
        state = look_at_own_host(timezone.now(), digests_of_keys())
        if state is None or state.problems:
            raise ProofFailed(f"the host's records: {state.problems if state else 'DNS does not answer'}")
        notes.append(f"{state.name}: {', '.join(state.addresses)}, and back")


def _set_up(info: dict) -> None:
    """Ask as mail programs do, over TLS whose certificate is made when the name is first asked for."""
    with step("Mail programs find their servers from an address alone") as notes:
        for host, path in (("autoconfig", AUTOCONFIG[0]), ("ua-auto-config", PACC)):
            name = f"{host}.{ACME.domains[0]}"
            answer, body = ask(info, name, path)
            if answer.status != 200 or info["tls"]["hostname"].encode() not in body:
                raise ProofFailed(f"https://{name}{path} answers {answer.status}")
            notes.append(f"https://{name}:{info['https']['port']}{path}")


def _report(info: dict, world: World) -> None:
    with step("A receiver's DMARC and TLS reports come by SMTP and are counted") as notes:
        now, wanted = timezone.now(), []
        for _, _, domain in world.domains():
            if domain.domain_name in (ACME.domains[0], BOLT.domains[0]):
                wanted += samples(domain, now, is_plagued=domain.domain_name == ACME.domains[0])
        with every_tenant("the demo takes in its reports"):
            counted = _counted()
            deliver(info, [sample for sample in wanted if sample.report_id not in counted])
            ids = {sample.report_id for sample in wanted}
            until(lambda: read_mailbox(timezone.now()) and ids <= _counted(), "the reports to be counted")
        notes.append(f"{len(wanted)} reports about {ACME.domains[0]} and {BOLT.domains[0]}")


def _counted() -> set[str]:
    return set(Report.objects.values_list("report_id", flat=True))


def published(record: DnsRecord) -> Published:
    """Return a row of mail_dns_records as the name server takes it."""
    value = record.value if record.record_type == "TXT" else expected_of(record).rdata
    return Published(record.name, record.record_type, value)


def write(sender: str, recipient: str) -> EmailMessage:
    """Return the message that the proof sends."""
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = "A message from one customer to another"
    message["Date"], message["Message-ID"] = format_datetime(localtime()), make_msgid(domain="acme.example")
    message.set_content("Hello Ben,\n\nthis message was signed on its way to you.\n\nAnna\n")
    return message


def send(info: dict, login: str, password: str, message: EmailMessage) -> None:
    """Hand a message in as a mail program does: STARTTLS, AUTH, then the message."""
    trust = ssl.create_default_context(cafile=info["tls"]["ca_file"])
    with smtplib.SMTP(info["submission"]["host"], info["submission"]["port"], timeout=SMTP_SECONDS) as smtp:
        smtp.starttls(context=trust)
        smtp.login(login, password)
        smtp.send_message(message)


def read(info: dict, login: str, password: str, message_id: str) -> bytes | None:
    """Return the message with this Message-ID from the inbox, None while it is not there."""
    trust = ssl.create_default_context(cafile=info["tls"]["ca_file"])
    imaps = info["imaps"]
    with imaplib.IMAP4_SSL(imaps["host"], imaps["port"], ssl_context=trust, timeout=SMTP_SECONDS) as imap:
        imap.login(login, password)
        imap.select("INBOX", readonly=True)
        _, [found] = imap.search(None, "HEADER", "Message-ID", f'"{message_id}"')
        if not found:
            return None
        _, parts = imap.fetch(found.split()[0], "(BODY.PEEK[])")
        return parts[0][1]


def verify(received: bytes, domain: str) -> list[str]:
    """Verify the DKIM signature with dkimpy and what the DNS shows. Returns what to show; raises ProofFailed."""

    def text_record(name: bytes, timeout: int = 5) -> bytes:
        # The key may stand behind an alias, in a zone to which the stack's name server does not go on by itself.
        values = look_up(name.decode().rstrip("."), "TXT").values
        return values[0].encode() if len(values) == 1 else b""

    signature = dkim.DKIM(received)
    if not signature.verify(dnsfunc=text_record):
        raise ProofFailed("the DKIM signature is missing or does not verify")
    fields = {name.decode(): value.decode() for name, value in signature.signature_fields.items()}
    if fields["d"] != domain:
        raise ProofFailed(f"signed by {fields['d']}, not by {domain}")
    return [f"DKIM-Signature: a={fields['a']} d={fields['d']} s={fields['s']}"]


def until(look: Callable[[], T | None], what: str, seen: Callable[[], object] | None = None) -> T:
    """Return what `look` answers as soon as it is true. Raises ProofFailed, with what was `seen` instead."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise ProofFailed(f"waited {PATIENCE_SECONDS} s for {what}" + (f"; {seen()}" if seen else ""))
        time.sleep(0.1)


def _of_all(rows: list[DnsRecord], count: int) -> list[DnsRecord] | None:
    return rows if len({row.domain_id for row in rows}) == count else None


def _if_complete(rows: list, count: int) -> list | None:
    return rows if len(rows) >= count else None


def _header(message: bytes, name: bytes) -> str:
    for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.lower().startswith(name + b":"):
            return line.partition(b":")[2].strip().decode()
    return ""


def _ask_the_panel(info: dict, api_key: str) -> list[str]:
    """Open the sign-in page and the API as a program does. Returns what to show; raises ProofFailed."""
    shown = []
    web = urlsplit(info["web"]["url"])
    for path, headers in (("/", {}), ("/api/v1/domains", {"Authorization": f"Bearer {api_key}"})):
        connection = HTTPConnection(web.hostname, web.port, timeout=SMTP_SECONDS)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        shown.append(f"GET {path}: {answer.status} {answer.reason} {answer.headers.get('Location', '')}".rstrip())
        connection.close()
        if answer.status >= 400:
            raise ProofFailed(shown[-1])
    return shown


if __name__ == "__main__":
    sys.exit(main())
