"""Pages about what a domain publishes in DNS: its records, their check, their history, the zone file."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dns.early_answers import early_answers, show_early
from dns.models import CheckSchedule, DnsRecord, LameServer, RecordChange, Status, ZoneAccess
from dns.purposes import NAMES, groups, status_word
from dns.record_operations import check_records
from dns.zone_file import zone_text
from domains.models import Domain, DomainNotice
from domains.readiness import readiness
from mailhost.web.forms import refusals_told
from mailhost.web.pages import needs
from mailhost.web.paging import page_of

# A check asks several servers, each with a time-out; what takes longer is read after a reload.
WATCH_SECONDS = 30
MOST_NOTICES = 20


@needs("records.list")
def records(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    now = timezone.now()
    found = list(DnsRecord.objects.of_domain(domain))
    last = last_check(found)
    started = request.GET.get("checking", "")
    check_runs = is_being_checked(started, last, now)
    # Row by row, once there are rows; until then the page follows as a whole.
    turns_rows = check_runs and bool(found)
    answers = early_answers(domain, int(started)) if turns_rows else []
    show_early(found, answers)
    asked = {record.uid for record in found} - {answer["uid"] for answer in answers} if turns_rows else set()
    shown = groups(domain.domain_name, found, asked)
    ready = readiness(domain, found)
    follows = (
        is_followed(request.GET.get("published", ""), found, now)
        or is_new(domain, found, now)
        or (check_runs and not found)
    )
    was_watched = started or "published" in request.GET
    context = {
        "domain": domain,
        "tab": "dns",
        "ready": ready,
        "groups": shown,
        "right": sum(group.right for group in shown),
        "total": len(found),
        "last_checked_at": last,
        "next_check_at": CheckSchedule.objects.filter(domain=domain).values_list("next_check_at", flat=True).first(),
        "lame_servers": lame_servers(domain),
        "access": ZoneAccess.objects.filter(domain=domain).first(),
        "now": now,
        "is_being_checked": turns_rows,
        "answered": len(answers),
        "is_followed": follows,
        # What somebody waited for is there; what comes next is said once, not on each visit.
        "is_done_now": was_watched and not follows and not turns_rows and ready.is_complete and not domain.alias_of_id,
    }
    return render(request, "dns/records.html", context)


def lame_servers(domain: Domain) -> list[LameServer]:
    rows = list(LameServer.objects.filter(domain=domain).order_by("server"))
    for row in rows:
        row.word = status_word(row.outcome)[1]
    return rows


@needs("records.list")
def turned_rows(request: HttpRequest, uid: str) -> HttpResponse:
    """A part of the page that follows a check (`checking`): the rows whose answers have come since it last asked, when
    it had `seen` so many, and the heads of their groups."""
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    records = list(DnsRecord.objects.of_domain(domain))
    started, seen = request.GET.get("checking", ""), request.GET.get("seen", "")
    context = {"domain": domain, "total": len(records), "started": started}
    if is_being_checked(started, last_check(records), timezone.now()):
        answers = early_answers(domain, int(started))
        new = {answer["uid"] for answer in answers[int(seen) if seen.isascii() and seen.isdigit() else 0 :]}
        show_early(records, answers)
        asked = {record.uid for record in records} - {answer["uid"] for answer in answers}
        turned = [
            (group, lines)
            for group in groups(domain.domain_name, records, asked)
            if (lines := [line for line in group.records if line.record.uid in new])
        ]
        context |= {
            "is_being_checked": True,
            "answered": len(answers),
            "turned": turned,
            "complete": [group for group, _lines in turned if not group.asked],
        }
    return render(request, "dns/_turned_rows.html", context)


def last_check(records: list[DnsRecord]) -> datetime | None:
    return max((record.last_checked_at for record in records if record.last_checked_at), default=None)


@require_POST
def check(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        started = int(timezone.now().timestamp())
        check_records(request.actor, domain=domain)
        return redirect(f"{reverse('domain', args=[domain.uid])}?checking={started}")
    return redirect("domain", domain.uid)


def is_being_checked(started: str, last_checked_at: datetime | None, now: datetime) -> bool:
    """Say whether the check that was asked for at `started` (seconds since the epoch) may still bring something."""
    if not _is_watched(started, now):
        return False
    return last_checked_at is None or last_checked_at.timestamp() < int(started)


def is_followed(published: str, records: list[DnsRecord], now: datetime) -> bool:
    """Say whether more is to come of what was published at `published`: the proof, the signing key, the answers."""
    statuses = {record.status for record in records}
    is_complete = statuses == {Status.OK} and any(record.purpose == "dkim" for record in records)
    return _is_watched(published, now) and not is_complete


def is_new(domain: Domain, records: list[DnsRecord], now: datetime) -> bool:
    """Say whether a worker is about to write the domain's first records."""
    return not records and now - domain.created_at < timedelta(seconds=WATCH_SECONDS)


def _is_watched(started: str, now: datetime) -> bool:
    if not (started.isascii() and started.isdigit() and len(started) <= 11):
        return False
    return 0 <= now.timestamp() - int(started) < WATCH_SECONDS


@needs("records.list")
def zone_file(request: HttpRequest, uid: str) -> HttpResponse:
    """The records as a file that DNS editors import (RFC 1035, 5)."""
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    answer = HttpResponse(zone_text(domain.domain_name, DnsRecord.objects.of_domain(domain)), content_type="text/dns")
    answer["Content-Disposition"] = f'attachment; filename="{domain.domain_name}.zone"'
    return answer


@needs("records.list")
def history(request: HttpRequest, uid: str) -> HttpResponse:
    """What DNS has shown differently from one look to the next, and what was told about it, the newest first."""
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    page = page_of(RecordChange.objects.filter(domain=domain), ("-pk",), request.GET.get("cursor", ""))
    for change in page:
        change.title = NAMES.get(change.purpose, change.purpose)
        change.before, change.after = status_word(change.status_before), status_word(change.status)
    notices = list(DomainNotice.objects.filter(domain=domain).newest_first()[:MOST_NOTICES])
    context = {"domain": domain, "tab": "history", "page": page, "notices": notices}
    return render(request, "dns/history.html", context)
