"""One message of the reports' mailbox: whose report it is, whether its sender is who it says, and what it counts."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from types import MappingProxyType

import dkim
from django.conf import settings
from django.db import IntegrityError, transaction

from dns.lookup import look_up
from dns.records import report_address_of
from domains.models import Domain
from domains.names import parents
from mailhost.background import later
from reports.dmarc_xml import DmarcReport, read_dmarc
from reports.models import DmarcCount, Kind, Report, SetAside, Source, TlsCount
from reports.tls_json import TlsReport, read_tls
from reports.unpacking import Broken, documents, read_message

OLDEST = timedelta(days=60)
LONGEST_PERIOD = timedelta(days=8)
MOST_AHEAD = timedelta(days=1)
MOST_SIGNATURES = 2
# A flood of invented sources must not fill the tables: what is more in a day is not counted.
MOST_COUNTS_OF_DAY = 5000
NAME_SOURCES = "reports.tasks.name_sources"
BATCH = 500
# By what the counts of a day differ.
OF_DMARC = ("source", "is_dkim_aligned", "is_spf_aligned", "disposition")
OF_TLS = ("policy_type", "result", "mx_host")
NOTHING_MORE: Mapping[tuple, dict[str, str]] = MappingProxyType({})


class NotYet(Exception):
    """DNS gives no answer at present about who has signed a message."""


def take_in(raw: bytes, now: datetime, *, may_wait: bool = True) -> str:
    """Count the reports of one message; return how it went in a word. What is broken is set aside and never counted.

    While DNS does not tell whose signature it is, the message is "put_off", as long as it `may_wait`. The caller has
    entered the scope. Raises nothing for what is the sender's.
    """
    message = EmailMessage()
    try:
        message = read_message(raw)
        domain = addressed_domain(message)
        refuse_forged(raw, message)
        found = [count(domain, report, now) for report in reports_of(message)]
        return "counted" if any(found) else "duplicate"
    except Broken as broken:
        reason = str(broken)
    except NotYet as not_yet:
        if may_wait:
            return "put_off"
        reason = str(not_yet)
    set_aside(message, reason, now)
    return "set_aside"


def set_aside(message: EmailMessage, reason: str, now: datetime) -> None:
    SetAside.objects.create(
        message_id=header(message, "Message-ID"),
        sender=header(message, "From"),
        recipient=header(message, "Delivered-To"),
        reason=reason[:300],
        received_at=now,
    )


def header(message: EmailMessage, name: str) -> str:
    """Return a header as it may be shown: what a stranger wrote, without control characters and cut."""
    try:
        text = str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return "(unreadable)"
    return "".join(sign for sign in text if sign.isprintable())[:255]


def addressed_domain(message: EmailMessage) -> Domain:
    """Return the domain in whose record this very address stands. The delivery wrote the header, not the sender.

    Raises Broken.
    """
    address = header(message, "Delivered-To").strip("<>").lower()
    uid = address.partition("@")[0].partition("+")[2]
    # The column holds ASCII, and MariaDB compares it with nothing else.
    is_uid = uid.isascii() and uid.isalnum()
    domain = Domain.objects.live().filter(uid=uid, verified_at__isnull=False).first() if is_uid else None
    if domain is None or address not in {
        report_address_of(base, domain.uid)
        for base in (settings.MAILHOST_DMARC_REPORTS, settings.MAILHOST_TLS_REPORTS)
        if base
    }:
        raise Broken("The message was not addressed to a domain's own address for reports.")
    return domain


def refuse_forged(raw: bytes, message: EmailMessage) -> None:
    """Raise Broken unless a signature verifies whose domain is the sender's (RFC 9990, RFC 8460, 3); NotYet where DNS
    does not answer for the key of one that could."""
    sender = parseaddr(header(message, "From"))[1].rpartition("@")[2].lower()
    signatures = message.get_all("DKIM-Signature", [])[:MOST_SIGNATURES]
    unanswered = ""
    for index, signature in enumerate(signatures):
        signer = signing_domain(str(signature))
        if not is_aligned(signer, sender):
            continue
        try:
            if verifies(raw, index):
                return
        except NotYet:
            unanswered = signer
    if unanswered:
        raise NotYet(f"DNS gave no answer for the key of {unanswered}.")
    raise Broken(f"No signature shows that the report comes from {sender or 'its sender'}.")


def signing_domain(signature: str) -> str:
    tags = dict(part.strip().partition("=")[::2] for part in signature.split(";"))
    return "".join(tags.get("d", "").split()).lower()


def is_aligned(signer: str, sender: str) -> bool:
    """Say whether two names are of one organisation (relaxed alignment, RFC 9989)."""
    if not signer or not sender:
        return False
    return signer == sender or organisation(signer) == organisation(sender)


def organisation(name: str) -> str:
    return ([name, *parents(name)])[-1]


def verifies(raw: bytes, index: int) -> bool:
    """Say whether the signature at this place is good. Raises NotYet when DNS does not answer for its key."""
    answers = []

    def text(name: bytes, timeout: int = 5) -> bytes | None:
        answers.append(look_up(name.decode("ascii", "replace").rstrip("."), "TXT"))
        return answers[-1].values[0].encode() if answers[-1].values else None

    try:
        is_good = dkim.DKIM(raw).verify(idx=index, dnsfunc=text)
    except (dkim.DKIMException, ValueError, IndexError, KeyError, UnicodeError):
        is_good = False
    if not is_good and any(answer.is_temporary for answer in answers):
        raise NotYet
    return is_good


def reports_of(message: EmailMessage) -> list[DmarcReport | TlsReport]:
    found: list[DmarcReport | TlsReport] = []
    for document in documents(message):
        if document.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            found += read_tls(document)
        else:
            found.append(read_dmarc(document))
    return found


@transaction.atomic
def count(domain: Domain, report: DmarcReport | TlsReport, now: datetime) -> bool:
    """Add a report to the days of its domain; say whether it is a new one. Raises Broken, with nothing counted."""
    if report.domain_name != domain.domain_name:
        raise Broken(f"The report is about {report.domain_name}, not about the domain it was addressed for.")
    if not now - OLDEST <= report.begins_at <= now + MOST_AHEAD or report.ends_at - report.begins_at > LONGEST_PERIOD:
        raise Broken("The report's period is too long, too long ago, or still to come.")
    # One at a time for each domain: the counts of a day are read and then written.
    Domain.objects.select_for_update().filter(pk=domain.pk).values_list("pk", flat=True).first()
    is_dmarc = isinstance(report, DmarcReport)
    try:
        with transaction.atomic():
            Report.objects.create(
                domain=domain,
                kind=Kind.DMARC if is_dmarc else Kind.TLS,
                reporter=report.reporter,
                report_id=report.report_id,
                begins_at=report.begins_at,
                ends_at=report.ends_at,
                policy=report.policy if is_dmarc else {},
                total=sum(row.count for row in report.rows),
                received_at=now,
            )
    except IntegrityError:
        return False
    add_dmarc(domain, report) if is_dmarc else add_tls(domain, report)
    return True


def add_dmarc(domain: Domain, report: DmarcReport) -> None:
    counts: dict[tuple, int] = defaultdict(int)
    signers: dict[tuple, str] = {}
    for row in report.rows:
        place = (row.source, row.is_dkim_aligned, row.is_spf_aligned, row.disposition)
        counts[place] += row.count
        signers[place] = row.signed_by or signers.get(place, "")
    more = {place: {"signed_by": signer} for place, signer in signers.items()}
    add_up(DmarcCount, domain, report.begins_at.date(), names=OF_DMARC, counts=counts, more=more)
    addresses = {place[0] for place in counts}
    known = Source.objects.filter(domain=domain, address__in=addresses).values_list("address", flat=True)
    if new := sorted(addresses - set(known)):
        Source.objects.bulk_create([Source(domain=domain, address=address) for address in new], batch_size=BATCH)
        later(NAME_SOURCES, domain_id=domain.pk)


def add_tls(domain: Domain, report: TlsReport) -> None:
    counts: dict[tuple, int] = defaultdict(int)
    for row in report.rows:
        counts[row.policy_type, row.result, row.mx_host] += row.count
    add_up(TlsCount, domain, report.begins_at.date(), names=OF_TLS, counts=counts)


def add_up(
    model: type[DmarcCount] | type[TlsCount],
    domain: Domain,
    day: date,
    *,
    names: tuple[str, ...],
    counts: Mapping[tuple, int],
    more: Mapping[tuple, dict[str, str]] = NOTHING_MORE,
) -> None:
    """Add counts to those of a day, each at the values of these columns; a new row has `more`. Raises Broken.

    In few statements, whatever a report has in it: the domain is locked meanwhile.
    """
    standing = {
        tuple(getattr(row, name) for name in names): row for row in model.objects.filter(domain=domain, day=day)
    }
    new = [
        model(domain=domain, day=day, count=number, **dict(zip(names, place, strict=True)), **more.get(place, {}))
        for place, number in counts.items()
        if place not in standing
    ]
    if len(standing) + len(new) > MOST_COUNTS_OF_DAY:
        raise Broken("The day has more different results than are kept.")
    known = counts.keys() & standing.keys()
    for place in known:
        standing[place].count += counts[place]
    model.objects.bulk_update([standing[place] for place in known], ["count"], batch_size=BATCH)
    model.objects.bulk_create(new, batch_size=BATCH)
