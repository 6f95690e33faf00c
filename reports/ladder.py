"""From watching to refusing: the steps of a DMARC policy, and what still speaks against the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

POLICIES = ("none", "quarantine", "reject")
WINDOW = timedelta(days=14)
# Fewer days show no weekend, no newsletter and no accounting run.
DAYS_WITH_REPORTS = 7
HELD_FOR = timedelta(days=14)
ALIGNED_PERCENT = {"quarantine": 98.0, "reject": 99.0}
# A source below this share is noise of forwarding and forgers.
SHARE_THAT_COUNTS_PERCENT = 1.0


@dataclass(frozen=True)
class SourceShare:
    """What one address sent within the window. `mark` is one of `reports.models.Mark`."""

    name: str
    messages: int
    aligned: int
    mark: str


@dataclass(frozen=True)
class Evidence:
    """All that decides about the next step."""

    policy: str
    since: datetime | None
    days_with_reports: int
    sources: Sequence[SourceShare]
    signs: bool
    has_spf: bool


def next_policy(policy: str) -> str | None:
    at = POLICIES.index(policy)
    return POLICIES[at + 1] if at + 1 < len(POLICIES) else None


def obstacles(seen: Evidence, now: datetime) -> list[str]:
    """Return a sentence for each thing that still fails before the next step; nothing when it may be taken."""
    wanted = next_policy(seen.policy)
    if wanted is None:
        return []
    found = []
    if not seen.signs:
        found.append(_("No key signs this domain's mail: its DKIM record is not found yet."))
    if not seen.has_spf:
        found.append(_("The SPF record is not right yet."))
    if seen.days_with_reports < DAYS_WITH_REPORTS:
        found.append(
            _("Reports of %(wanted)s days are needed, and there are %(seen)s.")
            % {"wanted": DAYS_WITH_REPORTS, "seen": seen.days_with_reports}
        )
    if seen.policy != "none" and (seen.since is None or now - seen.since < HELD_FOR):
        found.append(_("The present policy must hold for %(days)s days before the next one.") % {"days": HELD_FOR.days})
    return found + of_sources(seen.sources, ALIGNED_PERCENT[wanted])


def of_sources(sources: Sequence[SourceShare], wanted_percent: float) -> list[str]:
    """Return what the senders lack. Mail of a foreign source is what the policy is for, so it does not count."""
    ours = [source for source in sources if source.mark != "foreign"]
    messages, aligned = sum(one.messages for one in ours), sum(one.aligned for one in ours)
    found = []
    if not messages:
        found.append(_("No mail of this domain was reported yet."))
    elif 100 * aligned / messages < wanted_percent:
        found.append(
            _("Of the mail that is not marked as foreign %(share).1f %% is aligned; it should be %(wanted).0f %%.")
            % {"share": 100 * aligned / messages, "wanted": wanted_percent}
        )
    for one in sorted(ours, key=lambda source: source.aligned - source.messages):
        failing = one.messages - one.aligned
        if failing and 100 * failing / messages >= SHARE_THAT_COUNTS_PERCENT:
            found.append(
                _("%(name)s sent %(failing)s messages that are not aligned. Set it up, or say that it is not yours.")
                % {"name": one.name, "failing": failing}
            )
    return found[:10]
