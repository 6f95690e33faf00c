"""The parts of the installation: one table of what is looked at, and what to do when it is red."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from dns.models import HostState
from dns.signers import signer_states
from health import probes
from health.findings import OK, PROBLEM, WAITING, Finding
from mailconfig.parameters import InvalidParameter, Parameters
from mailhost.models import Job
from mailhost.said import from_kept

SECONDS = 2
# More than these jobs may wait while a worker is busy.
MANY_JOBS = 1000
# The host's records are looked at every hour.
HOST_SEEN_WITHIN = timedelta(hours=4)


@dataclass(frozen=True)
class Part:
    """One part: how it is called, how it is looked at, and what to do when it is red."""

    name: str
    label: str
    look: Callable[[Parameters], Finding]
    remedy: str


@dataclass(frozen=True)
class Seen:
    """A part with what was found of it just now."""

    name: str
    label: str
    finding: Finding
    remedy: str


# In the order of the page: what others stand on comes first.
OUTSIDE = (
    Part(
        "redis",
        gettext_lazy("Redis"),
        probes.redis,
        gettext_lazy("Look at: systemctl status redis-server. Mail flows without it; jobs wait until it is back."),
    ),
    Part(
        "workers",
        gettext_lazy("Workers"),
        probes.workers,
        gettext_lazy(
            "Look at: systemctl status mailhost-worker mailhost-webhooks mailhost-signer. "
            "What waits is done once they run."
        ),
    ),
    Part(
        "beat",
        gettext_lazy("The clock (beat)"),
        probes.beat,
        gettext_lazy("Look at: systemctl status mailhost-beat. DNS checks and key rotations wait for it."),
    ),
    Part(
        "postfix",
        gettext_lazy("Postfix"),
        probes.postfix,
        gettext_lazy("Look at: systemctl status postfix, journalctl -u postfix@-, and postfix check."),
    ),
    Part(
        "queue",
        gettext_lazy("Postfix's queue"),
        probes.queue,
        gettext_lazy(
            "Read the reasons with postqueue -p. Where one host is away, wait; else mend the cause, then postqueue -f. "
            "If the queue cannot be read at all, the panel's user must be in the group postdrop (docs/install.md)."
        ),
    ),
    Part(
        "dovecot",
        gettext_lazy("Dovecot"),
        probes.dovecot,
        gettext_lazy("Look at: systemctl status dovecot, and doveconf -n. Mail waits in Postfix's queue meanwhile."),
    ),
    Part(
        "guard",
        gettext_lazy("The guard of header From"),
        probes.guard,
        gettext_lazy(
            "Look at: systemctl status mailhost-guard. Until it runs, mail is answered with 451 and comes again."
        ),
    ),
    Part(
        "opendkim",
        gettext_lazy("OpenDKIM"),
        probes.opendkim,
        gettext_lazy("Look at: systemctl status opendkim. Until it runs, customers' mail waits; none leaves unsigned."),
    ),
    Part(
        "certificates",
        gettext_lazy("Certificates"),
        probes.certificates,
        gettext_lazy(
            "Renew the certificate (certbot renew), then reload Postfix and Dovecot, which read it at a reload."
        ),
    ),
    Part(
        "resolver",
        gettext_lazy("DNS resolver"),
        probes.resolver,
        gettext_lazy("Look at MAILHOST_NAMESERVERS and at the resolver. Records keep their last state meanwhile."),
    ),
)


def parts(now: datetime) -> list[Seen]:
    """Look at every part, all at once and for two seconds at most. Raises nothing: what fails is found to be red."""
    parameters = parameters_or_none()
    pool = ThreadPoolExecutor(max_workers=len(OUTSIDE), thread_name_prefix="probe")
    # Each thread speaks the language of the page.
    language = get_language()
    looked = [pool.submit(looked_at, part, parameters, language) for part in OUTSIDE]
    inside = [database(), signers(now), jobs(now), own_host(now)]
    wait(looked, timeout=SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    outside = [
        Seen(part.name, part.label, found_in_time(future), part.remedy)
        for part, future in zip(OUTSIDE, looked, strict=True)
    ]
    return [inside[0], *outside, *inside[1:]]


def parameters_or_none() -> Parameters | None:
    try:
        return Parameters.from_settings()
    except InvalidParameter:
        return None


def looked_at(part: Part, parameters: Parameters | None, language: str | None) -> Finding:
    with override(language):
        if parameters is None:
            return Finding(PROBLEM, _("The configuration cannot be read: run manage.py mailconfig check."))
        try:
            return part.look(parameters)
        except Exception as error:  # whatever a client raises, the page says it
            return Finding(PROBLEM, _("It does not answer: %(error)s") % {"error": said(error)})


def said(error: Exception) -> str:
    """Return what an error says, without its address and within a line: a URL in it may hold a password."""
    text = str(error) or type(error).__name__
    return type(error).__name__ if "://" in text else text[:200]


def found_in_time(future: Future[Finding]) -> Finding:
    if not future.done():
        return Finding(PROBLEM, _("It did not answer within %(seconds)s seconds.") % {"seconds": SECONDS})
    return future.result()


def database() -> Seen:
    remedy = _(
        "Look at: systemctl status mariadb. Without it nobody signs in; Postfix answers 451 and mail comes again."
    )
    try:
        is_usable = connection.is_usable()
        finding = Finding(OK, _("It answers this page.")) if is_usable else Finding(PROBLEM, _("It does not answer."))
    except DatabaseError as error:
        finding = Finding(PROBLEM, said(error))
    return Seen("database", _("Database"), finding, remedy)


def signers(now: datetime) -> Seen:
    """Whether every mail host's OpenDKIM has loaded the tables of the newest generation in the database."""
    remedy = _(
        "Open Signing: it names the host and what is wrong there. Until a key is there, that domain's mail waits."
    )
    try:
        states = signer_states(now)
    except DatabaseError as error:
        return Seen("signers", _("Signing tables"), Finding(PROBLEM, said(error)), remedy)
    alarms = [f"{state.name}: {state.alarm}" for state in states if state.alarm]
    behind = sum(state.generations_behind for state in states)
    if not states:
        finding = Finding(WAITING, _("No signer has reported yet."))
    elif alarms:
        finding = Finding(PROBLEM, " ".join(alarms))
    elif behind:
        finding = Finding(WAITING, _("%(count)s changes are being written.") % {"count": behind})
    else:
        finding = Finding(OK, _("In step with the database, generation %(number)s.") % {"number": states[0].wanted})
    return Seen("signers", _("Signing tables"), finding, remedy)


def jobs(now: datetime) -> Seen:
    remedy = _("Open Background jobs: it shows what failed and why. A job tries again by itself until it succeeds.")
    try:
        counted = Job.objects.filter(finished_at=None).aggregate(
            waiting=Count("pk"), failing=Count("pk", filter=Q(attempts__gt=0)), oldest=Min("created_at")
        )
    except DatabaseError as error:
        return Seen("jobs", _("Background jobs"), Finding(PROBLEM, said(error)), remedy)
    state = PROBLEM if counted["failing"] else WAITING if counted["waiting"] > MANY_JOBS else OK
    fact = _("%(waiting)s wait, %(failing)s of them after a failure.") % counted
    return Seen("jobs", _("Background jobs"), Finding(state, fact), remedy)


def own_host(now: datetime) -> Seen:
    """What other mail servers see of the mail host in DNS, as it was last looked at."""
    label = _("The mail host in DNS")
    remedy = _(
        "Give each address of the host a PTR record with its name (at whoever lends the address), the name an A or "
        "AAAA record that leads back, and a TXT record v=spf1 a -all. From a block list ask to be taken off once the "
        "cause is gone. It is looked at again within the hour."
    )
    try:
        state = HostState.objects.filter(name=settings.MAILHOST_HOSTNAME).first()
    except DatabaseError as error:
        return Seen("host", label, Finding(PROBLEM, said(error)), remedy)
    if state is None:
        finding = Finding(WAITING, _("It has not been looked at yet."))
    elif state.problems:
        fact = " ".join(from_kept(kept).translated for kept in state.problems)
        finding = Finding(PROBLEM if state.failing_since else WAITING, fact)
    elif state.checked_at < now - HOST_SEEN_WITHIN:
        finding = Finding(WAITING, _("DNS has not told of it for hours."))
    else:
        text = _("%(name)s leads to %(addresses)s and back, and stands on no block list.")
        finding = Finding(OK, text % {"name": state.name, "addresses": ", ".join(state.addresses)})
    return Seen("host", label, finding, remedy)
