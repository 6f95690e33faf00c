"""DMARC records (RFC 9989): read, judged, and made from choices. There is no `pct` any more; `t=y` says testing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dns.verdict import is_version, tags

POLICIES = ("none", "quarantine", "reject")
FAILURE_OPTIONS = ("0", "1", "d", "s")
ADDRESS = re.compile(r"mailto:[^\s,;!@]+@[^\s,;!@]+\.[^\s,;!@]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
MOST_ADDRESSES = 10

MEANINGS = {
    "none": "Receivers deliver mail that fails, and tell you of it if you ask for reports.",
    "quarantine": "Receivers treat mail that fails as suspicious: most put it into the spam folder.",
    "reject": "Receivers refuse mail that fails.",
}


@dataclass(frozen=True)
class Dmarc:
    """What a record means. `problems` are sentences; with any, `policy` is what receivers apply all the same, or ""."""

    policy: str
    subdomain_policy: str
    testing: bool
    rua: tuple[str, ...]
    ruf: tuple[str, ...]
    problems: tuple[str, ...]


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
            problems.append(f"{address[:80]} is no address for reports: write mailto:name@domain.")
    policy = found.get("p", "").lower()
    if policy not in POLICIES:
        if policy:
            problems.append(f"The policy {policy[:40]} is unknown: p is none, quarantine or reject.")
        else:
            problems.append("The record names no policy (p).")
        policy = "none" if rua else ""
    subdomain_policy = found.get("sp", policy).lower()
    if subdomain_policy not in POLICIES and subdomain_policy:
        problems.append(f"The policy for subdomains {subdomain_policy[:40]} is unknown.")
        subdomain_policy = policy
    if "pct" in found:
        problems.append("pct is no longer part of DMARC (RFC 9989); receivers pass over it. To try a policy, use t=y.")
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


def meaning(record: str) -> list[str]:
    """Return what a record says, in sentences."""
    found = read(record)
    if not found.policy:
        return ["Receivers pass over this record."]
    said = [MEANINGS[found.policy]]
    if found.subdomain_policy != found.policy:
        said.append(
            f"For subdomains: {MEANINGS[found.subdomain_policy][0].lower()}{MEANINGS[found.subdomain_policy][1:]}"
        )
    if found.testing:
        said.append("It is being tried: receivers are asked to apply the policy one step below (t=y).")
    if found.rua:
        said.append(f"Reports of each day go to {', '.join(address.removeprefix('mailto:') for address in found.rua)}.")
    else:
        said.append("Nobody gets reports, so nobody sees what fails. Name an address in rua.")
    return said
