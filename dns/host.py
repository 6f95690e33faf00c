"""What the installation's own mail host shows in DNS, judged as other servers judge it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from django.utils.translation import gettext_noop as _

from dns import spf
from dns.answers import Answer
from dns.host_records import OwnHost, host_records
from dns.lookup import Asker, run_many
from dns.models import Necessity, Purpose, Status
from dns.observation import Finding, Subject, look_at
from dns.reading import is_address
from dns.records import ExpectedRecord
from dns.tools import look_at_blocklists
from dns.verdict import Verdict
from mailhost.said import Said


@dataclass(frozen=True)
class HostSight:
    """The host's addresses in DNS, what was found of each of its records, and what is wrong. `is_certain` is false when
    DNS did not tell all of it; `is_signed` is None when it did not tell that."""

    addresses: tuple[str, ...]
    findings: tuple[tuple[ExpectedRecord, Finding], ...]
    problems: tuple[Said, ...]
    is_certain: bool
    is_signed: bool | None


def sight_of_host(host: OwnHost, former: tuple[str, ...] = ()) -> HostSight:
    """Look at the host's records. Where it names no addresses, those that DNS shows count, and where it shows none the
    `former` ones; of the set-up host always those that DNS shows, and else the ones given. Raises nothing."""
    return run_many([partial(_look, host, former)], at_once=1)[0]


async def _look(host: OwnHost, former: tuple[str, ...], asker: Asker) -> HostSight:
    kinds = await asyncio.gather(asker.look_up(host.name, "A"), asker.look_up(host.name, "AAAA"))
    shown = _addresses_in(kinds)
    is_signed = await asker.is_signed(host.name)
    wanted = host.addresses or shown or former
    host = replace(
        host,
        addresses=wanted,
        is_signed=host.is_signed if is_signed is None else is_signed,
        setup_addresses=await _setup_addresses(host, asker) or host.setup_addresses,
    )
    records = host_records(host)
    found = await look_at(Subject(host.name.partition(".")[2], records, {}), None, asker)
    lists = await asyncio.gather(*(look_at_blocklists(asker, address) for address in shown))
    judged = [
        (record, await _evaluated(record, finding, host, asker)) for record, finding in zip(records, found, strict=True)
    ]
    # A block list that is silent says nothing, as one that does not list the host.
    is_certain = not any(answer.is_temporary for answer in kinds) and not any(
        finding.verdict.status == Status.TEMPORARY_FAILURE for _record, finding in judged
    )
    problems = [] if wanted else [Said(_("%(name)s has no address."), name=host.name)]
    problems += [finding.verdict.problem for record, finding in judged if is_wrong(record, finding)]
    problems += [
        Said(_("%(address)s is on %(zone)s."), address=address, zone=zone)
        for address, listed in zip(shown, lists, strict=True)
        for zone in listed["found"]
    ]
    return HostSight(shown, tuple(judged), tuple(problems), is_certain, is_signed)


def _addresses_in(answers: Iterable[Answer]) -> tuple[str, ...]:
    return tuple(value for answer in answers for value in answer.values if is_address(value))[: spf.MOST_MX_HOSTS]


async def _setup_addresses(host: OwnHost, asker: Asker) -> tuple[str, ...]:
    name = host.installation.setup_host
    if not name:
        return ()
    return _addresses_in(await asyncio.gather(asker.look_up(name, "A"), asker.look_up(name, "AAAA")))


def is_wrong(record: ExpectedRecord, finding: Finding) -> bool:
    """Say whether somebody must look at it: what is optional may be missing."""
    if record.necessity == Necessity.OPTIONAL:
        return finding.verdict.status == Status.MISMATCH
    return finding.verdict.status in {Status.MISSING, Status.MISMATCH}


async def _evaluated(record: ExpectedRecord, finding: Finding, host: OwnHost, asker: Asker) -> Finding:
    """Let an SPF record be as its operator writes it, as long as it lets every address of the host send."""
    if finding.verdict.status != Status.OK or record.purpose not in {Purpose.GREETING, Purpose.SPF_INCLUDE}:
        return finding
    for address in host.addresses:
        seen = await spf.Evaluator(asker, ip=address, sender=f"postmaster@{host.name}").check(record.name)
        if seen.result not in {spf.Result.PASS, spf.Result.TEMPERROR}:
            text = _("The SPF record at %(name)s does not let %(address)s send.")
            said = Said(text, name=record.name, address=address)
            problem = Said(_("%(said)s %(reason)s"), said=said, reason=seen.problem) if seen.problem else said
            return replace(finding, verdict=Verdict(Status.MISMATCH, problem))
    return finding
