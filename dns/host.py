"""What the installation's own mail host shows in DNS, judged as other servers judge it: looked at by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_noop as _

from dns.lookup import Asker, run_many
from dns.tools import Found, look_at_host
from mailhost.said import Said


@dataclass(frozen=True)
class HostSight:
    """The host's addresses, and what is wrong. `is_certain` is false when DNS did not tell all of it."""

    addresses: tuple[str, ...]
    problems: tuple[Said, ...]
    is_certain: bool


def sight_of_host(name: str) -> HostSight:
    """Look at a host, as the DNS tools do. Raises nothing."""

    async def look(asker: Asker) -> HostSight:
        found = await look_at_host(asker, name)
        # A block list that is silent says nothing, as one that does not list the host.
        lists = tuple(f".{zone}" for zone in settings.MAILHOST_BLOCKLISTS)
        answers = [await asking for (_kind, asked, *_type), asking in asker.known.items() if not asked.endswith(lists)]
        is_certain = not any(answer.is_temporary for answer in answers)
        return HostSight(tuple(found["found"]), tuple(problems_of(name, found)), is_certain)

    return run_many([look], at_once=1)[0]


def problems_of(name: str, found: Found) -> Sequence[Said]:
    """Return what makes other servers refuse the host's mail, a sentence each."""
    problems = []
    if not found["addresses"]:
        problems.append(Said(_("%(name)s has no address."), name=name))
    for seen in found["addresses"]:
        address, confirmed = seen["address"], seen["confirmed"]
        if not confirmed:
            text = _("%(address)s has no name that leads back to it: many servers refuse mail from it.")
            problems.append(Said(text, address=address))
        elif name not in confirmed:
            text = _("%(address)s is named %(names)s, not %(wanted)s.")
            problems.append(Said(text, address=address, names=", ".join(confirmed), wanted=name))
        problems += [Said(_("%(address)s is on %(zone)s."), address=address, zone=zone) for zone in seen["listed_on"]]
    if not found["spf"]:
        text = _("%(name)s should have one SPF record for its greeting, for example v=spf1 a -all.")
        problems.append(Said(text, name=name))
    return problems
