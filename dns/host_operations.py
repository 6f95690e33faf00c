"""The mail host's own records: looked at by the clock, with notice to the operators."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from dns.host import HostSight, sight_of_host
from dns.host_records import OwnHost, known_addresses
from dns.models import HostRecord, HostState, Purpose, Status
from dns.record_operations import UNKNOWN, columns, write_problem
from dns.records import ExpectedRecord, Installation
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.mail import compose, deliver
from mailhost.operation import operation
from mailhost.said import from_kept
from tenants.models import Member, Role

MAIL_HOST_NOTICE = "dns.tasks.mail_host_notice"
# Above this app: it asks the mail host's daemons for their certificate first.
LOOK_AT_OWN_HOST = "health.tasks.look_at_own_host"
# Looks in a row that find something wrong before the operators are told; DNS that fails is no look.
MISSES_THAT_ALARM = 3


@operation("health.look_at_host")
def ask_for_look(actor: Actor) -> None:
    """Have the mail host's own records looked at soon, in the background."""
    later(LOOK_AT_OWN_HOST)


def look_at_own_host(now: datetime, keys: Sequence[str] | None = None) -> HostState | None:
    """Look at the records of MAILHOST_HOSTNAME and note what was found; None while DNS does not tell all of it, and
    the former state stays. `keys`: digests of its certificate's keys, or None while they cannot be read.
    """
    name = settings.MAILHOST_HOSTNAME
    was = HostState.objects.filter(name=name).first()
    if keys is None:
        keys = (was.keys if was else None) or ()
    host = OwnHost(
        Installation.from_settings(),
        addresses=tuple(known_addresses()),
        keys=tuple(keys),
        is_signed=bool(was and was.is_signed),
        setup_addresses=tuple(_seen_of_setup_host(was) if was else ()),
    )
    sight = sight_of_host(host, former=tuple(was.addresses) if was else ())
    if was is None and not sight.is_certain:
        return None
    return note_host(host, sight, now)


def _seen_of_setup_host(state: HostState) -> list[str]:
    """Return where the set-up host was found before: what vanishes from DNS is missed."""
    rows = state.records.filter(purpose=Purpose.SETUP_HOST, name=settings.MAILHOST_SETUP_HOST)
    return list(rows.order_by("pk").values_list("value", flat=True))


@transaction.atomic
def note_host(host: OwnHost, sight: HostSight, now: datetime) -> HostState | None:
    HostState.objects.get_or_create(name=host.name, defaults={"checked_at": now})
    state = HostState.objects.select_for_update().get(name=host.name)
    state.keys = list(host.keys) or None
    if sight.is_signed is not None:
        state.is_signed = sight.is_signed
    _note_records(state, sight, now)
    if not sight.is_certain:
        state.save()
        return None
    was_failing = state.failing_since is not None
    state.addresses, state.checked_at = list(sight.addresses or state.addresses), now
    state.problems = [problem.kept for problem in sight.problems]
    state.misses = state.misses + 1 if sight.problems else 0
    if not sight.problems:
        state.failing_since = None
    elif state.misses >= MISSES_THAT_ALARM:
        state.failing_since = state.failing_since or now
    state.save()
    if was_failing != (state.failing_since is not None):
        later(MAIL_HOST_NOTICE, host_id=state.pk)
    return state


def _note_records(state: HostState, sight: HostSight, now: datetime) -> None:
    """Make the rows say what the host should show now, and what was found of it."""
    standing = {_place(row): row for row in state.records.all()}
    for record, finding in sight.findings:
        row = standing.pop(_place(record), None) or HostRecord(host=state)
        for name, value in columns(record).items():
            setattr(row, name, value)
        write_problem(row, finding.verdict.problem)
        # A failure of DNS turns no verdict bad.
        if finding.verdict.status != Status.TEMPORARY_FAILURE or row.status in UNKNOWN:
            row.status, row.found = finding.verdict.status, list(finding.sight.best.values)
            row.last_checked_at = now
        row.save()
    HostRecord.objects.filter(pk__in=[row.pk for row in standing.values()]).delete()


def _place(record: HostRecord | ExpectedRecord) -> tuple[str, ...]:
    return record.purpose, record.record_type, record.name, record.value


def mail_host_notice(state: HostState) -> int:
    """Mail how the host is to each operator by itself; return to how many. The caller has entered the scope.

    Raises OSError or SMTPException when the mail server does not take it.
    """
    members = Member.objects.filter(tenant__parent=None, role__in=(Role.OWNER, Role.ADMIN), user__is_active=True)
    told = {"host": state, "problems": [from_kept(kept) for kept in state.problems], "path": reverse("host-records")}
    languages = {member.user.email: member.user.language for member in members.select_related("user")}
    messages = [compose("dns/mail/host.txt", email, told, language=languages[email]) for email in sorted(languages)]
    return deliver(messages)
