"""Many aliases as one act: every rule of the single act holds, and each step is one statement for all."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailboxes.addresses import base_address, display_address, domain_of, normalise_source
from mailboxes.alias_operations import hosted, mailboxes_at, stored_targets
from mailboxes.batches import Refusals, as_far_as_limits_allow, refuse_too_many, repeated_in_alias_domains
from mailboxes.effective import recalculate_addresses
from mailboxes.expansion import MAX_DEPTH, MAX_TARGETS, refuse_loops, unfold
from mailboxes.links import targets_of
from mailboxes.models import Alias
from mailboxes.ownership import denied, domains_for, own_addresses
from mailhost.actor import Actor
from mailhost.errors import Refused, SeveralRefused
from mailhost.inserts import insert_all
from mailhost.operation import operation
from mailhost.said import gettext
from mailhost.said import gettext as _
from tenants.limits import reserve


@dataclass(frozen=True)
class NewAlias:
    """What `create_alias` is told of one alias."""

    source: str
    targets: Sequence[str]


@dataclass
class Plan:
    """A source with the rows that lead from it; `is_new` unless it has targets already."""

    source: str
    targets: list[str]
    rows: list[Alias]
    is_new: bool = True
    owner_path: str = ""


@operation("aliases.create", secrets=("items",))
def create_aliases(
    actor: Actor, *, items: Sequence[NewAlias], is_atomic: bool
) -> tuple[dict[int, list[Alias]], Refusals]:
    """Create up to 1,000 aliases; return the rows of each that was made and the refusals, by place.

    Raises Refused("too_many_items"); when `is_atomic` SeveralRefused, and Refused("limit_reached"). What one item is
    refused for is as with `create_alias`; a source stands in a batch once.
    """
    refuse_too_many(items)
    refusals: Refusals = {}
    plans = dict(_plans(items, refusals))
    others = hosted({domain_of(target) for plan in plans.values() for target in plan.targets})
    domains = domains_for(actor, {domain_of(plan.source) for plan in plans.values()}, field="source", others=others)
    present = _present({plan.source for plan in plans.values()})
    mailboxes = mailboxes_at({base_address(target) for plan in plans.values() for target in plan.targets})
    for place, plan in plans.items():
        domain = domains[domain_of(plan.source)]
        refusal = domain if isinstance(domain, Refused) else _not_takeable(plan, present[plan.source])
        if refusal is not None:
            refusals.setdefault(place, refusal)
            continue
        plan.is_new, plan.owner_path = not present[plan.source], domain.owner_path
        plan.rows = [
            Alias(
                domain=domain,
                alias_email=plan.source,
                destination_email=target,
                target_mailbox_id=mailboxes.get(base_address(target)),
            )
            for target in plan.targets
        ]
    while True:
        if is_atomic and refusals:
            raise SeveralRefused("items", refusals)
        wanted = {place: plan for place, plan in plans.items() if place not in refusals}
        try:
            made = as_far_as_limits_allow(wanted, refusals, write=_written, reserve=_reserve, is_atomic=is_atomic)
        except SeveralRefused as circles:
            # What was written is rolled back: once more without those that close a circle.
            places = list(wanted)
            refusals |= {places[number]: refusal for number, refusal in circles.refusals.items()}
        else:
            return made, refusals


def _plans(items: Sequence[NewAlias], refusals: Refusals) -> Iterator[tuple[int, Plan]]:
    seen: set[str] = set()
    for place, item in enumerate(items):
        try:
            source = normalise_source(item.source)
            targets = stored_targets(source, item.targets)
        except Refused as refusal:
            refusals[place] = refusal
            continue
        if source in seen:
            message = _("%(source)s stands in this batch twice. Name all its targets in one item.") % {
                "source": display_address(source)
            }
            refusals[place] = Refused("taken", "source", message)
        else:
            yield place, Plan(source, targets, [])
        seen.add(source)


def _present(sources: set[str]) -> defaultdict[str, set[str]]:
    """Return where these sources lead already."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    rows = Alias.objects.filter(alias_email__in=sources, own_mailbox=None)
    for source, target in rows.values_list("alias_email", "destination_email"):
        found[source].add(target)
    return found


def _not_takeable(plan: Plan, present: set[str]) -> Refused | None:
    if plan.source in present:
        return denied(plan.source, "source")
    twice = next((target for target in plan.targets if target in present), None)
    if twice is not None:
        message = _("%(source)s leads to %(target)s already.") % {
            "source": display_address(plan.source),
            "target": display_address(twice),
        }
        return Refused("taken", "targets", message)
    if len(present) + len(plan.targets) > MAX_TARGETS:
        return Refused(
            "too_many_targets",
            "targets",
            gettext("An alias has at most %(max_targets)s targets.") % {"max_targets": MAX_TARGETS},
        )
    return None


def _written(plans: list[Plan]) -> list[list[Alias]]:
    """Write the rows, refuse those that close a circle, let them be routed, take from the limits.

    Raises SeveralRefused by the place in `plans`.
    """
    insert_all([row for plan in plans for row in plan.rows])
    for plan in plans:
        for row in plan.rows:
            row.is_first = plan.is_new
    touched = repeated_in_alias_domains({plan.source: plan.rows[0].domain_id for plan in plans})
    circles = _circles(plans, _links(touched))
    if circles:
        raise SeveralRefused("items", circles)
    recalculate_addresses(touched)
    _reserve(plans)
    return [plan.rows for plan in plans]


def _links(addresses: set[str]) -> dict[str, set[str]]:
    """Return every link met on the way down from these addresses, one question for each level of all."""
    links: dict[str, set[str]] = {}
    level = set(addresses)
    for _depth in range(MAX_DEPTH + 2):
        level -= links.keys()
        if not level:
            break
        found = targets_of(level)
        links |= {address: set(found.get(address, ())) for address in level}
        level = {base_address(target) for address in level for target in links[address]}
    return links


def _circles(plans: list[Plan], links: Mapping[str, set[str]]) -> Refusals:
    refusals: Refusals = {}
    for number, plan in enumerate(plans):
        try:
            way = unfold([plan.source], lambda level: {address: links.get(address, ()) for address in level})
            refuse_loops([plan.source], way, own_addresses)
        except Refused as refusal:
            refusals[number] = refusal
    return refusals


def _reserve(plans: list[Plan]) -> None:
    by_tenant = Counter(plan.owner_path for plan in plans if plan.is_new)
    for path, count in sorted(by_tenant.items()):
        reserve(path, aliases=count)
