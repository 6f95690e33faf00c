"""DMARC records (RFC 9989): read, judged, and made from choices. There is no `pct` any more; `t=y` says testing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from dns.reading import is_version, tags
from mailhost.said import Said

POLICIES = ("none", "quarantine", "reject")
FAILURE_OPTIONS = ("0", "1", "d", "s")
ADDRESS = re.compile(r"mailto:[^\s,;!@]+@[^\s,;!@]+\.[^\s,;!@]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
MOST_ADDRESSES = 10

MEANINGS = {
    "none": _("Receivers deliver mail that fails, and tell you of it if you ask for reports."),
    "quarantine": _("Receivers treat mail that fails as suspicious: most put it into the spam folder."),
    "reject": _("Receivers refuse mail that fails."),
}
MEANINGS_BELOW = {
    "none": _("For subdomains: receivers deliver mail that fails, and tell you of it if you ask for reports."),
    "quarantine": _("For subdomains: receivers treat mail that fails as suspicious: most put it into the spam folder."),
    "reject": _("For subdomains: receivers refuse mail that fails."),
}
# When a report of a single message is asked for (fo), in the order of FAILURE_OPTIONS.
MEANINGS_OF_FAILURE = {
    "0": _("One is asked for when neither SPF nor DKIM passes for the domain."),
    "1": _("One is asked for when SPF or DKIM does not pass for the domain, even if the other does."),
    "d": _("One is asked for when a DKIM signature does not verify."),
    "s": _("One is asked for when SPF does not pass."),
}


@dataclass(frozen=True)
class Dmarc:
    """What a record means. `problems` are sentences; with any, `policy` is what receivers apply all the same, or ""."""

    policy: str
    subdomain_policy: str
    testing: bool
    rua: tuple[str, ...]
    ruf: tuple[str, ...]
    problems: tuple[Said, ...]


def dmarc_records(values: Sequence[str]) -> list[str]:
    """Return those TXT values that are DMARC records."""
    return [value for value in values if is_version(value, "v=dmarc1")]


def read(record: str) -> Dmarc:
    """Return what a DMARC record means to a receiver (RFC 9989, 4.7), and what is wrong with it."""
    found = tags(record)
    problems = []
    rua, ruf = (tuple(filter(None, found.get(name, "").split(","))) for name in ("rua", "ruf"))
    for address in (*rua, *ruf):
        if not ADDRESS.fullmatch(address):
            text = _("%(address)s is no address for reports: write mailto:name@domain.")
            problems.append(Said(text, address=address[:80]))
    policy = found.get("p", "").lower()
    if policy not in POLICIES:
        if policy:
            text = _("The policy %(policy)s is unknown: p is none, quarantine or reject.")
            problems.append(Said(text, policy=policy[:40]))
        else:
            problems.append(Said(_("The record names no policy (p).")))
        policy = "none" if rua else ""
    subdomain_policy = found.get("sp", policy).lower()
    if subdomain_policy not in POLICIES and subdomain_policy:
        problems.append(Said(_("The policy for subdomains %(policy)s is unknown."), policy=subdomain_policy[:40]))
        subdomain_policy = policy
    if "pct" in found:
        problems.append(
            Said(_("pct is no longer part of DMARC (RFC 9989); receivers pass over it. To try a policy, use t=y."))
        )
    return Dmarc(policy, subdomain_policy, found.get("t", "n").lower() == "y", rua, ruf, tuple(problems))


def make(
    *,
    policy: str,
    subdomain_policy: str = "",
    rua: Sequence[str] = (),
    ruf: Sequence[str] = (),
    failure_options: str = "",
    testing: bool = False,
) -> str:
    """Return a DMARC record. The values have been checked."""
    parts = ["v=DMARC1", f"p={policy}"]
    if subdomain_policy and subdomain_policy != policy:
        parts.append(f"sp={subdomain_policy}")
    for name, addresses in (("rua", rua), ("ruf", ruf)):
        if addresses:
            parts.append(f"{name}={','.join(f'mailto:{address}' for address in addresses)}")
    if failure_options and ruf:
        parts.append(f"fo={failure_options}")
    if testing:
        parts.append("t=y")
    return "; ".join(parts)


def meaning(record: str) -> list[Said]:
    """Return what a record says, in sentences."""
    found = read(record)
    if not found.policy:
        return [Said(_("Receivers pass over this record."))]
    said = [Said(MEANINGS[found.policy])]
    if found.subdomain_policy != found.policy:
        said.append(Said(MEANINGS_BELOW[found.subdomain_policy]))
    if found.testing:
        said.append(Said(_("It is being tried: receivers are asked to apply the policy one step below (t=y).")))
    if found.rua:
        to = ", ".join(address.removeprefix("mailto:") for address in found.rua)
        said.append(Said(_("Reports of each day go to %(addresses)s."), addresses=to))
    else:
        said.append(Said(_("Nobody gets reports, so nobody sees what fails. Name an address in rua.")))
    return said + _of_single_messages(found, tags(record).get("fo", "0").lower())


def _of_single_messages(found: Dmarc, options: str) -> list[Said]:
    if not found.ruf:
        return []
    to = ", ".join(address.removeprefix("mailto:") for address in found.ruf)
    said = [Said(_("Reports of single messages go to %(addresses)s; few receivers send them."), addresses=to)]
    return said + [Said(text) for option, text in MEANINGS_OF_FAILURE.items() if option in options.split(":")]
