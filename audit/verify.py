"""Is the record whole? Every tenant's chain is read from its beginning and compared with itself and its head."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.chain import START, digest, hash_after, heads
from audit.models import Chain, Event
from mailhost.scope import every_tenant

BATCH = 2000


class Fault(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    MISPLACED = "misplaced"


@dataclass(frozen=True)
class Finding:
    """Something wrong with one tenant's chain, at or about its event number `sequence`."""

    tenant_id: int
    sequence: int
    fault: Fault
    sentence: str


@dataclass(frozen=True)
class Head:
    """Where a chain ended: what one may keep elsewhere and compare later."""

    length: int
    hash: str


def verify(known: Mapping[int, Head] | None = None) -> tuple[dict[int, Head], list[Finding]]:
    """Read every chain. Returns the heads and what is wrong.

    `known` are heads of an earlier run that were kept elsewhere: each must still be part of its chain, which also
    tells a chain that was written anew as a whole, or cut with its head.
    """
    with every_tenant("the record is verified as a whole"):
        ends = {tenant_id: Head(*end) for tenant_id, end in heads().items()}
        of_no_chain = Event.objects.exclude(tenant__in=list(ends)).values_list("tenant_id", flat=True).distinct()
        tenants = sorted({*ends, *of_no_chain.order_by("tenant_id"), *(known or {})})
        findings = []
        for tenant_id in tenants:
            former = (known or {}).get(tenant_id)
            findings += faults_of(tenant_id, ends.get(tenant_id, Head(0, START)), former)
    return ends, findings


def faults_of(tenant_id: int, end: Head, former: Head | None = None) -> Iterator[Finding]:
    """Yield what is wrong with one tenant's chain, whose head was read before its events."""
    expected, previous = 1, START
    former_hash = START
    for event in events_of(tenant_id):
        if event.sequence > end.length:
            # Written since the head was read, or past it.
            end = Head(*Chain.objects.values_list("length", "hash").filter(tenant=tenant_id).first() or (0, START))
            if event.sequence > end.length:
                yield Finding(
                    tenant_id, event.sequence, Fault.MISPLACED, f"It stands after the chain's end, {end.length}."
                )
        if event.sequence != expected:
            yield missing(tenant_id, expected, event.sequence - 1)
        elif event.previous != previous:
            yield Finding(
                tenant_id,
                event.sequence,
                Fault.MISPLACED,
                "It does not follow the event before it: one of them was swapped, replaced or written anew.",
            )
        if hash_after(event.previous, digest(event)) != event.hash:
            yield Finding(tenant_id, event.sequence, Fault.CHANGED, "It does not say what it said when it was written.")
        if former and event.sequence == former.length:
            former_hash = event.hash
        expected, previous = event.sequence + 1, event.hash
    if expected <= end.length:
        yield missing(tenant_id, expected, end.length)
    elif expected == end.length + 1 and previous != end.hash:
        yield Finding(tenant_id, end.length, Fault.MISPLACED, "The chain does not end with it: its last event differs.")
    if former and former_hash != former.hash:
        yield Finding(
            tenant_id, former.length, Fault.CHANGED, "The chain is another one than the earlier head belongs to."
        )


def missing(tenant_id: int, first: int, last: int) -> Finding:
    which = f"The event {first} is" if first == last else f"The events {first} to {last} are"
    return Finding(tenant_id, first, Fault.MISSING, f"{which} missing.")


def events_of(tenant_id: int) -> Iterator[Event]:
    """Yield a tenant's events in the order of its chain, some thousands in memory at a time."""
    last = 0
    while True:
        batch = list(Event.objects.filter(tenant=tenant_id, sequence__gt=last).order_by("sequence")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].sequence
