"""The mail host's own records: looked at by the clock, with notice to the operators."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from dns.host import HostSight, sight_of_host
from dns.models import HostState
from mailhost.background import later
from mailhost.mail import compose, deliver
from mailhost.said import from_kept
from tenants.models import Member, Role

MAIL_HOST_NOTICE = "dns.tasks.mail_host_notice"
# Looks in a row that find something wrong before the operators are told; DNS that fails is no look.
MISSES_THAT_ALARM = 3


def look_at_own_host(now: datetime) -> HostState | None:
    """Look at MAILHOST_HOSTNAME and note what was found; None while DNS does not tell, and the former state stays."""
    name = settings.MAILHOST_HOSTNAME
    sight = sight_of_host(name)
    return note_host(name, sight, now) if sight.is_certain else None


@transaction.atomic
def note_host(name: str, sight: HostSight, now: datetime) -> HostState:
    HostState.objects.get_or_create(name=name, defaults={"checked_at": now})
    state = HostState.objects.select_for_update().get(name=name)
    was_failing = state.failing_since is not None
    state.addresses, state.checked_at = list(sight.addresses), now
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


def mail_host_notice(state: HostState) -> int:
    """Mail how the host is to each operator by itself; return to how many. The caller has entered the scope.

    Raises OSError or SMTPException when the mail server does not take it.
    """
    members = Member.objects.filter(tenant__parent=None, role__in=(Role.OWNER, Role.ADMIN)).select_related("user")
    told = {"host": state, "problems": [from_kept(kept) for kept in state.problems], "path": reverse("health")}
    languages = {member.user.email: member.user.language for member in members}
    messages = [compose("dns/mail/host.txt", email, told, language=languages[email]) for email in sorted(languages)]
    return deliver(messages)
