"""Looking at what a domain publishes: every record it should have, and the places where one lands by mistake."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from django.utils.translation import gettext_noop as _

from dns.answers import Answer, Outcome, Sight
from dns.lookup import Asker, run_many
from dns.models import Necessity, Purpose, Status
from dns.mta_sts import policy_id
from dns.policy_fetch import Fetched, fetch_policy
from dns.reading import before_all
from dns.records import ExpectedRecord
from dns.spf import MOST_LOOKUPS, Evaluation, Evaluator, Result, spf_records
from dns.verdict import (
    OK,
    Hints,
    Verdict,
    end_of,
    is_alias_of_key,
    is_shown_by_all,
    judge,
    judge_behind,
    judge_sight,
    mismatch,
    repeated,
)

log = structlog.get_logger(__name__)

# Domains in flight at a time. Each takes some 25 ms of processor time for its questions, and on a busy machine those of
# all others count against its five seconds; a thousand domains whose servers are silent take five minutes.
AT_ONCE = 16


@dataclass(frozen=True)
class Subject:
    """A domain to look at: its name, what it should publish, and its keys by selector."""

    domain_name: str
    records: Sequence[ExpectedRecord]
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """What was seen of a record. `behind`: of the key at the end of its alias."""

    sight: Sight
    verdict: Verdict
    behind: Sight | None = None


# Told at once of each finding: which of the domain's records it is about, by its place, and what was found.
Told = Callable[[str, int, Finding], None]


def observe(subjects: Sequence[Subject], told: Told | None = None) -> list[list[Finding]]:
    """Return a finding for each record of each subject, in their order. Raises nothing; five seconds a domain.

    `told` hears of each as it comes, in whatever order; it is called where the questions are asked and must be quick.
    """
    return run_many([partial(look_at, subject, told) for subject in subjects], at_once=AT_ONCE)


async def look_at(subject: Subject, told: Told | None, asker: Asker) -> list[Finding]:
    """Return a finding for each of the subject's records, in their order, by questions of this asker."""

    async def found(place: int, record: ExpectedRecord) -> Finding:
        finding = await _find(record, subject, asker)
        if told is not None:
            told(subject.domain_name, place, finding)
        return finding

    try:
        return list(await asyncio.gather(*(found(place, record) for place, record in enumerate(subject.records))))
    except Exception:
        # What is read here is whatever a zone's owner writes: where it breaks this, the other domains must not wait.
        log.exception("domain_not_looked_at", domain=subject.domain_name)
        nothing = Sight(Answer(Outcome.UNREADABLE))
        return [Finding(nothing, judge_sight(record, nothing)) for record in subject.records]


async def _find(record: ExpectedRecord, subject: Subject, asker: Asker) -> Finding:
    sight = await asker.sight(record.name, record.record_type)
    hints = Hints(keys=subject.keys)
    verdict = judge_sight(record, sight, hints)
    if verdict.status == Status.MISSING and record.necessity != Necessity.OPTIONAL:
        hints = replace(
            hints,
            elsewhere=await _elsewhere(record, subject.domain_name, asker),
            texts=(await asker.look_up(record.name, "TXT")).values if is_alias_of_key(record) else (),
        )
        verdict = judge_sight(record, sight, hints)
    if record.purpose == Purpose.SPF:
        return Finding(sight, await judge_evaluated(record, sight, verdict, subject.domain_name, asker))
    if verdict.status == Status.OK and (record.purpose, record.record_type) == (Purpose.MTA_STS, "TXT"):
        # What the record announces is what senders fetch next.
        verdict = judge_policy(record, await asyncio.to_thread(fetch_policy, subject.domain_name))
    if verdict.status == Status.OK and record.behind:
        # The alias may be right and its end not: a key signs only when each server of both zones shows it.
        behind = await asker.sight(record.value, "TXT")
        return Finding(sight, judge_behind(record, behind), behind)
    return Finding(sight, verdict)


def shows_key(record: ExpectedRecord, finding: Finding) -> bool:
    """Say whether every authoritative server shows the key: those of the domain, and where its record is an alias,
    those of the zone in which it ends too."""
    if not is_shown_by_all(record, finding.sight):
        return False
    if not is_alias_of_key(record):
        return True
    return finding.behind is not None and is_shown_by_all(end_of(record), finding.behind)


async def judge_evaluated(
    record: ExpectedRecord, sight: Sight, verdict: Verdict, domain_name: str, asker: Asker
) -> Verdict:
    """Say of an SPF record that stands whether receivers can evaluate it, and whether it leads to ours by another way.

    What fails in the operator's own record is none of the domain's, and a DNS that does not answer is nobody's.
    """
    shown = {tuple(spf_records(answer.values)) for answer in sight.by_server.values() if not answer.is_temporary}
    found = spf_records(sight.best.values)
    if len(found) != 1 or len(shown) > 1 or verdict.status not in {Status.OK, Status.MISMATCH}:
        return verdict
    own = before_all(record.value.lower())[1:]
    words = found[0].split()
    rest = " ".join(word for word in words if word.lower().removeprefix("+") not in own)
    seen = await _counted(asker, domain_name, rest)
    if seen.result is Result.PERMERROR:
        return mismatch(_("Receivers cannot use the SPF record: %(problem)s"), problem=seen.problem)
    lookups = seen.lookups
    if lookups and len(rest.split()) < len(words):
        lookups += (await _counted(asker, domain_name, f"v=spf1 {' '.join(own)}")).lookups
    if lookups > MOST_LOOKUPS:
        text = _(
            "The SPF record needs %(count)s lookups, and receivers stop after %(most)s. Take out what sends no mail "
            "for the domain."
        )
        return mismatch(text, count=lookups, most=MOST_LOOKUPS)
    return OK if {f"include:{name}" for name in seen.includes} & set(own) else verdict


async def _counted(asker: Asker, domain_name: str, record: str) -> Evaluation:
    return await Evaluator(asker, ip=None, sender=f"postmaster@{domain_name}").check(domain_name, record)


def judge_policy(record: ExpectedRecord, fetched: Fetched) -> Verdict:
    """Say whether the policy that is served is the one whose id the record bears."""
    if fetched.is_temporary:
        return Verdict(Status.TEMPORARY_FAILURE, repeated(fetched.problem))
    if fetched.problem:
        return mismatch(_("The record is right, but its policy is not: %(problem)s"), problem=fetched.problem)
    if not record.value.endswith(policy_id(fetched.text)):
        return mismatch(_("The record is right, but another policy than its own is served."))
    return OK


async def _elsewhere(record: ExpectedRecord, domain_name: str, asker: Asker) -> tuple[str, ...]:
    places = wrong_places(record, domain_name)
    answers = await asyncio.gather(*(asker.look_up(place, record.record_type) for place in places))
    return tuple(
        place
        for place, answer in zip(places, answers, strict=True)
        if judge(replace(record, name=place), answer).status == Status.OK
    )


def wrong_places(record: ExpectedRecord, domain_name: str) -> list[str]:
    """Return the names under which people enter a record by mistake, the most usual one first."""
    places = [f"{record.name}.{domain_name}"]
    match record.purpose:
        case Purpose.DKIM:
            places.append(record.name.replace("._domainkey.", "."))
        case Purpose.OWNERSHIP:
            places.append(domain_name)
        case Purpose.MX | Purpose.SPF:
            # The host instead of the domain.
            places += [f"mail.{domain_name}", f"www.{domain_name}"]
    return [place for place in places if len(place) <= 253]
