"""What people do about their reports, and reading them out of the mailbox."""

import time
from datetime import datetime, timedelta

import structlog
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from dns.answers import Outcome
from dns.models import DmarcPolicy
from dns.record_operations import refresh_later
from dns.tools import look_at_addresses
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.errors import Refused
from mailhost.inserts import put
from mailhost.operation import operation
from reports import intake, mailbox
from reports.figures import days_of, evidence, sources_of
from reports.ladder import POLICIES, obstacles
from reports.models import DmarcCount, Mark, Report, SetAside, Source, TlsCount

log = structlog.get_logger(__name__)

KEPT = timedelta(days=400)
# For the name servers of whoever reports to come back.
WAITS = timedelta(days=3)
READING, READ_SECONDS = "reports:reading", 120
# What MariaDB and MySQL say of a value that a column does not hold.
UNFIT = {1264, 1366, 1406}
SET_ASIDE_KEPT = timedelta(days=90)
# So that a hundred addresses whose name servers are silent cost less than half a minute.
MOST_NAMED, NAMED_AT_ONCE = 100, 20


@operation("reports.mark_source")
def mark_source(actor: Actor, *, source: Source, mark: str) -> Source:
    """Say whether an address that sends in the domain's name is the domain's. Raises Refused: invalid_mark."""
    if mark not in Mark.values:
        raise Refused("invalid_mark", "mark", _("Choose one of %(names)s.") % {"names": ", ".join(Mark.values)})
    lock_domain(actor, source.domain)
    source.mark = mark
    source.save(update_fields=["mark"])
    return source


@operation("records.set_dmarc_policy")
def set_dmarc_policy(actor: Actor, *, domain: Domain, policy: str) -> Domain:
    """Choose the DMARC policy that the domain's record asks for. Up by one step, when nothing speaks against it; down
    at any time. Raises Refused: not_found, frozen, invalid_policy, not_ready.
    """
    now = timezone.now()
    if policy not in POLICIES:
        raise Refused("invalid_policy", "policy", _("Choose one of %(names)s.") % {"names": ", ".join(POLICIES)})
    domain = lock_domain(actor, domain)
    refuse_frozen(domain)
    seen = evidence(domain, now, days_of(domain, now.date()), sources_of(domain, now.date()))
    steps = POLICIES.index(policy) - POLICIES.index(seen.policy)
    if not steps:
        return domain
    if steps > 1:
        raise Refused(
            "not_ready",
            "policy",
            _("The step after %(policy)s is %(policies)s.") % {"policy": seen.policy, "policies": POLICIES[1]},
        )
    if steps > 0 and (reasons := obstacles(seen, now)):
        raise Refused("not_ready", "policy", " ".join(reasons))
    put(DmarcPolicy(domain=domain, policy=policy, since=now), "policy", "since")
    refresh_later(domain)
    return domain


def read_mailbox(now: datetime) -> dict[str, int]:
    """Take in what lies in the reports' mailbox; each message leaves it, whatever it is, but one for which DNS gives no
    answer: that is tried again for `WAITS`. The caller has entered the scope. Raises mailbox.Unreachable, and
    OperationalError with the message still there."""
    went = {"counted": 0, "duplicate": 0, "set_aside": 0, "put_off": 0}
    # A reader that waits for slow name servers must not be joined by the next one, message by message.
    if not cache.add(READING, 1, timeout=2 * READ_SECONDS):
        return went
    ends = time.monotonic() + READ_SECONDS
    try:
        _read(now, ends, went)
    finally:
        cache.delete(READING)
    if went["set_aside"]:
        log.error("reports_set_aside", count=went["set_aside"])
    return went


def _read(now: datetime, ends: float, went: dict[str, int]) -> None:
    """Take in messages until that moment of the monotonic clock, counting what becomes of them in `went`."""
    with mailbox.opened() as box:
        # What was put off comes last: it may cost DNS seconds each, and must keep nothing waiting that is new.
        for uid in (*box.numbers(), *box.put_off_numbers()):
            if time.monotonic() > ends:
                return
            how = taken_in(box.message(uid), now, may_wait=now - box.arrived_at(uid) < WAITS)
            went[how] += 1
            match how:
                case "set_aside":
                    box.set_aside(uid)
                case "put_off":
                    box.put_off(uid)
                case _:
                    box.delete(uid)


def taken_in(raw: bytes | None, now: datetime, *, may_wait: bool = False) -> str:
    if raw is None:
        intake.set_aside(intake.EmailMessage(), "The message is too large.", now)
        return "set_aside"
    try:
        return intake.take_in(raw, now, may_wait=may_wait)
    except Exception as fault:
        if isinstance(fault, (OperationalError, InterfaceError)) and fault.args[0] not in UNFIT:
            # It waits in the mailbox for a database that answers.
            raise
        # A message on which the reader itself fails would be tried for ever.
        log.exception("report_not_read", fault=type(fault).__name__)
        intake.set_aside(intake.EmailMessage(), f"The reader failed on it ({type(fault).__name__}).", now)
        return "set_aside"


def name_sources(domain: Domain, now: datetime) -> int:
    """Look up the names of addresses that are new; a name counts when it leads back. Returns how many were asked.

    There may be more than are asked at once: they follow, as long as DNS answers for most.
    """
    # By chance, so that addresses for which DNS never answers do not stand in the others' way.
    rows = list(Source.objects.filter(domain=domain, named_at=None).order_by("?")[:MOST_NAMED])
    answered = 0
    for row, found in zip(rows, look_at_addresses([row.address for row in rows], at_once=NAMED_AT_ONCE), strict=True):
        if found["outcome"] not in {Outcome.FOUND.value, Outcome.NO_SUCH_NAME.value, Outcome.NO_SUCH_RECORD.value}:
            continue
        row.name, row.named_at = (found["confirmed"] or [""])[0][:253], now
        row.save(update_fields=["name", "named_at"])
        answered += 1
    if 2 * answered > len(rows) and Source.objects.filter(domain=domain, named_at=None).exists():
        later(intake.NAME_SOURCES, domain_id=domain.pk)
    return len(rows)


def forget_old(now: datetime) -> None:
    """Delete what is no longer shown. The caller has entered the scope."""
    Report.objects.filter(begins_at__lt=now - KEPT).delete()
    for model in (DmarcCount, TlsCount):
        model.objects.filter(day__lt=(now - KEPT).date()).delete()
    SetAside.objects.filter(received_at__lt=now - SET_ASIDE_KEPT).delete()
