"""MTA-STS policies (RFC 8461), and the steps from one to the next, as plain rules."""

import hashlib
from datetime import datetime, timedelta

from django.db.models import TextChoices

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
        return f"From {mode} the next step is {' or '.join(sorted(STEPS[Mode(mode)]))}."
    left = (since + TESTING_FOR - now) if since else TESTING_FOR
    if wanted == Mode.ENFORCE and left > timedelta():
        return f"Testing runs for {TESTING_FOR.days} days first: {days(left)} are left."
    left = (since + MAX_AGE - now) if since else MAX_AGE
    if wanted == Mode.OFF and left > timedelta():
        return f"Senders may remember the policy for {days(left)} more. Until then it must say none."
    return ""


def days(length: timedelta) -> str:
    return f"{-(-length // timedelta(days=1))} days"
