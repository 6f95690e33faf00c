"""Fetching a domain's MTA-STS policy as senders do (RFC 8461, 3.3), and what is wrong with it, in sentences."""

import http.client
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop as _

from dns.guarded_http import Blocked, Response, exchange
from mailhost.said import NOTHING, Said

# Within the five seconds of a domain's whole check.
SECONDS = 4
MOST_BYTES = 64 * 1024
MOST_MX = 100
LONGEST_AGE = 31_557_600
AGE = re.compile(r"[0-9]{1,10}")
MODES = ("none", "testing", "enforce")


@dataclass(frozen=True)
class Fetched:
    """A policy as it is served. `is_temporary`: nothing is known, the server was not reached or has failed."""

    text: str = ""
    problem: Said = NOTHING
    is_temporary: bool = False
    mode: str = ""
    mx: tuple[str, ...] = ()
    max_age: int = 0


def fetch_policy(domain_name: str) -> Fetched:
    """Return the policy that is served for a domain. Raises nothing; four seconds."""
    port = settings.MAILHOST_POLICY_PORT
    url = urlsplit(f"https://mta-sts.{domain_name}:{port}/.well-known/mta-sts.txt")
    try:
        answer = exchange(
            "GET", url, headers={"User-Agent": "Mailhost-Checks/1"}, seconds=SECONDS, most_bytes=MOST_BYTES + 1
        )
    except ssl.SSLCertVerificationError as error:
        text = _("The certificate of %(host)s is not good: %(reason)s.")
        return Fetched(problem=Said(text, host=url.hostname, reason=error.verify_message))
    except Blocked as blocked:
        return Fetched(problem=blocked.said)
    except (OSError, http.client.HTTPException) as error:
        text = _("%(host)s could not be asked for the policy (%(error)s).")
        return Fetched(problem=Said(text, host=url.hostname, error=type(error).__name__), is_temporary=True)
    return read_answer(answer, url.hostname)


def read_answer(answer: Response, host: str) -> Fetched:
    if answer.status != http.client.OK:
        problem = Said(_("%(host)s answers %(status)s where the policy should be."), host=host, status=answer.status)
        return Fetched(problem=problem, is_temporary=answer.status >= http.client.INTERNAL_SERVER_ERROR)
    if answer.content_type.partition(";")[0].strip().lower() != "text/plain":
        return Fetched(problem=Said(_("The policy is not served as text/plain.")))
    if len(answer.body) > MOST_BYTES:
        return Fetched(problem=Said(_("The policy is longer than 64 KB.")))
    return read_policy(answer.body)


def read_policy(body: bytes) -> Fetched:
    """Return what a policy says (RFC 8461, 3.2)."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return Fetched(problem=Said(_("The policy has signs that are not ASCII.")))
    pairs = [line.partition(":")[::2] for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name.strip(), value.strip())
    mx = tuple(value.strip().lower() for name, value in pairs if name.strip() == "mx")[:MOST_MX]
    problem = NOTHING
    if fields.get("version") != "STSv1":
        problem = Said(_("The policy does not begin with version: STSv1."))
    elif fields.get("mode") not in MODES:
        problem = Said(_("The policy's mode must be none, testing or enforce."))
    elif not AGE.fullmatch(fields.get("max_age", "")) or int(fields["max_age"]) > LONGEST_AGE:
        problem = Said(_("The policy's max_age must be a number of seconds up to %(most)s."), most=LONGEST_AGE)
    elif fields["mode"] != "none" and not mx:
        problem = Said(_("The policy names no mx."))
    if problem:
        return Fetched(text=text, problem=problem)
    return Fetched(text=text, mode=fields["mode"], mx=mx, max_age=int(fields["max_age"]))
