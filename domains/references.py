"""How a path or a filter points at a domain: `dom_…`, or the domain's name in either form."""

from typing import Any

from django.db.models import F, QuerySet

from domains.models import Domain
from domains.names import normalise_domain
from mailhost.api.ids import find
from mailhost.errors import Refused
from mailhost.said import gettext as _

PREFIX = "dom"


def find_domain(reference: str) -> Domain:
    """Return the live domain in scope. Raises Domain.DoesNotExist.

    Two customers of one reseller may claim one name: the proven owner is meant, else the older claim.
    """
    return find(_proven_first, reference, prefix=PREFIX, natural=_by_name)


def _proven_first() -> QuerySet[Domain]:
    rows = Domain.objects.live().select_related("tenant", "alias_of")
    return rows.order_by(F("verified_at").asc(nulls_last=True), "pk")


def following(rows: QuerySet, reference: str) -> QuerySet:
    """Return the alias domains of the domain that a filter names; none when it is unknown or not in scope."""
    try:
        return rows.filter(alias_of=find_domain(reference))
    except Domain.DoesNotExist:
        return rows.none()


def find_removed_domain(reference: str) -> Domain:
    """Return the removed domain in scope, by name the one removed last. Raises Domain.DoesNotExist."""
    rows = Domain.objects.exclude(deleted_at=None).select_related("tenant", "alias_of")
    return find(rows.order_by("-deleted_at", "-pk"), reference, prefix=PREFIX, natural=_by_name)


def searchable(words: str) -> str:
    """Return how words that somebody searches for stand in a stored name: a whole U-label as its A-label."""
    try:
        return normalise_domain(words)
    except Refused:
        return words.lower()


def _by_name(reference: str) -> dict[str, Any]:
    return {"domain_name": normalise_domain(reference)}


def domain_of_work(domain_id: int) -> Domain:
    """Return the domain that long work in the present scope is about. Raises Refused when it is gone meanwhile."""
    domain = Domain.objects.live().select_related("tenant", "alias_of").filter(pk=domain_id).first()
    if domain is None:
        raise Refused("not_found", "", _("This domain does not exist any more."))
    return domain
