"""What reports add up to: alignment by day, by source, and what decides about the next policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, Max, Q, Sum

from dns.models import DkimKey, DmarcPolicy, DnsRecord, Purpose, Status
from domains.models import Domain
from reports.ladder import WINDOW, Evidence, SourceShare
from reports.models import DmarcCount, Mark, Source, TlsCount
from reports.tls_json import SUCCESS

SHOWN_DAYS = 30
MOST_SOURCES = 200
ALIGNED = Q(is_dkim_aligned=True) | Q(is_spf_aligned=True)


@dataclass(frozen=True)
class Day:
    day: date
    aligned: int
    failing: int

    @property
    def total(self) -> int:
        return self.aligned + self.failing


@dataclass(frozen=True)
class SourceFigures:
    """What one address sent within the shown days; `recent` lies within the days that decide about the next policy."""

    source: Source
    messages: int
    aligned: int
    dkim: int
    spf: int
    signed_by: str
    recent: int
    recent_aligned: int

    @property
    def failing(self) -> int:
        return self.messages - self.aligned


@dataclass(frozen=True)
class TlsDay:
    day: date
    successful: int
    failures: Sequence[tuple[str, str, int]]

    @property
    def failed(self) -> int:
        return sum(count for _result, _host, count in self.failures)


def days_of(domain: Domain, today: date) -> list[Day]:
    """Return the shown days, oldest first, those without a report too."""
    first = today - timedelta(days=SHOWN_DAYS - 1)
    rows = DmarcCount.objects.since(domain, first).values("day")
    sums = {row["day"]: row for row in rows.annotate(aligned=Sum("count", filter=ALIGNED), total=Sum("count"))}
    found = []
    for number in range(SHOWN_DAYS):
        day = first + timedelta(days=number)
        row = sums.get(day, {"aligned": 0, "total": 0})
        aligned = row["aligned"] or 0
        found.append(Day(day, aligned, row["total"] - aligned))
    return found


def sources_of(domain: Domain, today: date) -> list[SourceFigures]:
    """Return the addresses that sent within the shown days, the one with most failing mail first."""
    first, recent = today - timedelta(days=SHOWN_DAYS - 1), Q(day__gte=today - WINDOW)
    rows = (
        DmarcCount.objects.since(domain, first)
        .values("source")
        .annotate(
            messages=Sum("count"),
            aligned=Sum("count", filter=ALIGNED),
            dkim=Sum("count", filter=Q(is_dkim_aligned=True)),
            spf=Sum("count", filter=Q(is_spf_aligned=True)),
            signer=Max("signed_by"),
            recent=Sum("count", filter=recent),
            recent_aligned=Sum("count", filter=recent & ALIGNED),
        )
    )
    known = {source.address: source for source in Source.objects.filter(domain=domain)}
    figures = [
        SourceFigures(
            known.get(row["source"]) or Source(domain=domain, address=row["source"]),
            row["messages"],
            row["aligned"] or 0,
            row["dkim"] or 0,
            row["spf"] or 0,
            row["signer"],
            row["recent"] or 0,
            row["recent_aligned"] or 0,
        )
        for row in rows
    ]
    figures.sort(key=lambda one: (-one.failing, -one.messages, one.source.address))
    return figures


def tls_days_of(domain: Domain, first: date) -> list[TlsDay]:
    """Return days with TLS reports, newest first."""
    days: dict[date, list[TlsCount]] = {}
    for row in TlsCount.objects.since(domain, first).order_by("-day", "result", "mx_host"):
        days.setdefault(row.day, []).append(row)
    return [
        TlsDay(
            day,
            sum(row.count for row in rows if row.result == SUCCESS),
            [(row.result, row.mx_host, row.count) for row in rows if row.result != SUCCESS],
        )
        for day, rows in days.items()
    ]


def evidence(domain: Domain, now: datetime, days: Sequence[Day], sources: Sequence[SourceFigures]) -> Evidence:
    """Return all that decides about the domain's next DMARC policy, what it sent by day and by source included.

    The caller has entered the scope.
    """
    first = (now - WINDOW).date()
    row = DmarcPolicy.objects.filter(domain=domain).first()
    records = DnsRecord.objects.filter(domain=domain, purpose__in=[Purpose.DKIM, Purpose.SPF], status=Status.OK)
    has_key = Exists(DkimKey.objects.signing().filter(domain=domain))
    found = dict(records.annotate(has_key=has_key).values_list("purpose", "has_key"))
    return Evidence(
        policy=row.policy if row else "none",
        since=row.since if row else None,
        days_with_reports=sum(day.day >= first and day.total > 0 for day in days),
        sources=[
            SourceShare(str(one.source), one.recent, one.recent_aligned, one.source.mark or Mark.UNKNOWN)
            for one in sources
            if one.recent
        ],
        signs=found.get(Purpose.DKIM, False),
        has_spf=Purpose.SPF in found,
    )
