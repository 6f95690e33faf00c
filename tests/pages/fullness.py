"""What Acme has besides the town's rows where pages are looked at full: keys, changes, endpoints, reports."""

from datetime import datetime, timedelta

from django.utils import timezone

from dns.models import DkimKey, DmarcPolicy, DnsRecord, KeyState, LameServer, Logo, RecordChange, ZoneAccess
from dns.record_operations import columns
from dns.records import logo_records
from domains.models import Domain
from domains.operations import create_domain
from mailboxes.app_password_operations import create_app_password
from mailboxes.models import Mailbox
from mailhost.scope import every_tenant
from mailhost.vault import seal
from reports.models import DmarcCount, Kind, Mark, Report, SetAside, Source, TlsCount
from tests.pages.town import Town, proven, show_records
from webhooks.operations import create_endpoint, send_test

SILENT_PORT = 9


def fill_acme_to_the_brim(town: Town) -> dict[str, str]:
    """Return the uids of what pages are about, by name."""
    anna, now = town.acting("anna@acme.example"), timezone.now()
    with every_tenant("the town is built"):
        works = proven(create_domain(anna, name="bolt-works.example"), now)
        show_records(works, now, {})
        DmarcPolicy.objects.create(domain=works, policy="quarantine", since=now - timedelta(days=20))
        choose_logo(works, now)
        for state, days in ((KeyState.RETIRING, 181), (KeyState.ACTIVE, 3), (KeyState.PENDING, 0)):
            DkimKey.objects.create(
                domain=works,
                selector=f"mh-{state}",
                public_key="x",
                private_key="x",
                state=state,
                state_since=now - timedelta(days=days),
            )
        ZoneAccess.objects.create(
            domain=works,
            server="127.0.0.1",
            port=SILENT_PORT,
            zone=works.domain_name,
            key_name="acme",
            algorithm="hmac-sha256",
            sealed_secret=seal("c2VjcmV0"),
        )
        RecordChange.objects.create(
            domain=works,
            purpose="mx",
            record_type="MX",
            name=works.domain_name,
            status_before="missing",
            status="ok",
            found=["10 mail.mailhost.example"],
            seen_at=now - timedelta(hours=2),
        )
        since = now - timedelta(days=3)
        LameServer.objects.create(
            domain=works, server=f"ns2.{works.domain_name}", outcome="timeout", since=since, last_seen_at=now, looks=4
        )
        RecordChange.objects.create(
            domain=works,
            purpose="name_server",
            record_type="NS",
            name=f"ns2.{works.domain_name}",
            status_before="answers",
            status="timeout",
            seen_at=since,
        )
        mailbox = Mailbox.objects.get(email="anna@acme.example")
        create_app_password(anna, mailbox=mailbox, name="Telephone", protocols=["imap", "smtp"])
        endpoint, _ = create_endpoint(anna, url="https://hooks.acme.example/in", types=["mailbox.created"])
        send_test(anna, endpoint=endpoint)
        receive_reports(works)
        return {"webhook": endpoint.uid, **dict(Domain.objects.live().values_list("domain_name", "uid"))}


def choose_logo(domain: Domain, now: datetime) -> None:
    """A logo with its record, which was not published yet."""
    # Short: what goes beyond a field's edge is taken for cut.
    urls = ("https://bw.example/l.svg", "https://bw.example/l.pem")
    Logo.objects.create(domain=domain, logo_url=urls[0], certificate_url=urls[1], since=now)
    for record in logo_records(domain.domain_name, *urls):
        DnsRecord.objects.create(domain=domain, **columns(record))


def receive_reports(domain: Domain) -> None:
    """Two weeks of reports about a domain: its own server, a newsletter's, and somebody who pretends."""
    now = timezone.now()
    sources = (
        ("192.0.2.25", Mark.OURS, True, 420),
        ("198.51.100.7", Mark.UNKNOWN, True, 60),
        ("203.0.113.9", "", False, 9),
    )
    for address, mark, is_aligned, count in sources:
        if mark:
            Source.objects.create(domain=domain, address=address, mark=mark, named_at=now, name=f"mx.{address}.example")
        for days in range(14):
            DmarcCount.objects.create(
                domain=domain,
                day=(now - timedelta(days=days)).date(),
                source=address,
                is_dkim_aligned=is_aligned,
                is_spf_aligned=is_aligned,
                disposition="none",
                signed_by=domain.domain_name if is_aligned else "",
                count=count + days,
            )
    for kind in (Kind.DMARC, Kind.TLS):
        Report.objects.create(
            domain=domain,
            kind=kind,
            reporter="receiver.example",
            report_id="1",
            begins_at=now - timedelta(days=1),
            ends_at=now,
            total=489,
            received_at=now,
        )
    for result, count in (("successful", 900), ("certificate-expired", 3)):
        day = (now - timedelta(days=1)).date()
        TlsCount.objects.create(
            domain=domain, day=day, policy_type="sts", result=result, mx_host="mail.mailhost.example", count=count
        )
    SetAside.objects.create(
        received_at=now, sender="reports@elsewhere.example", reason="The report is about bolt.example, not this domain."
    )
