"""MTA-STS policies (RFC 8461), and the steps from one to the next, as plain rules."""

import hashlib
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MAX_AGE = timedelta(days=7)
# So long senders report what enforcement would break before it begins.
TESTING_FOR = timedelta(days=7)


class Mode(TextChoices):
    """`none` withdraws a policy that senders may still remember; `off` is without any."""

    OFF = "off"
    NONE = "none"
    TESTING = "testing"
    ENFORCE = "enforce"


STEPS = {
    Mode.OFF: {Mode.TESTING},
    Mode.TESTING: {Mode.ENFORCE, Mode.NONE},
    Mode.ENFORCE: {Mode.TESTING, Mode.NONE},
    Mode.NONE: {Mode.TESTING, Mode.OFF},
}


def policy(mode: str, mail_host: str) -> str:
    """Return the policy of RFC 8461, 3.2; "" where there is none."""
    if mode == Mode.OFF:
        return ""
    lines = ["version: STSv1", f"mode: {mode}"]
    if mode != Mode.NONE:
        lines.append(f"mx: {mail_host}")
    lines.append(f"max_age: {int(MAX_AGE.total_seconds())}")
    return "".join(f"{line}\r\n" for line in lines)


def policy_id(text: str) -> str:
    """Return the id of a policy (RFC 8461, 3.1): it changes when the policy does, and only then."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def unfit(mode: str, wanted: str, since: datetime | None, now: datetime) -> str:
    """Return why this step cannot be taken now, or "". `since`: from when the present mode holds."""
    if wanted not in STEPS[Mode(mode)]:
        steps = _(" or ").join(sorted(STEPS[Mode(mode)]))
        return _("From %(mode)s the next step is %(steps)s.") % {"mode": mode, "steps": steps}
    left = (since + TESTING_FOR - now) if since else TESTING_FOR
    if wanted == Mode.ENFORCE and left > timedelta():
        said = _("Testing runs for %(whole)s days first. Left: %(left)s.")
        return said % {"whole": TESTING_FOR.days, "left": days(left)}
    left = (since + MAX_AGE - now) if since else MAX_AGE
    if wanted == Mode.OFF and left > timedelta():
        said = _("Senders may remember the policy for %(left)s more. Until then it must say none.")
        return said % {"left": days(left)}
    return ""


def days(length: timedelta) -> str:
    count = -(-length // timedelta(days=1))
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
