"""What batches of any kind share: how many they take, and where limits end them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from domains.models import Domain
from mailboxes.mirror import follow_addresses
from mailhost.errors import Refused
from mailhost.said import gettext as _

MAX_ITEMS = 1000
Refusals = dict[int, Refused]


def refuse_too_many(items: Sequence[Any]) -> None:
    """Raise Refused("too_many_items") for none, and for more than a batch takes."""
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Refused("too_many_items", "items", _("A batch has 1 to %(max_items)s items.") % {"max_items": MAX_ITEMS})


def as_far_as_limits_allow(
    wanted: Mapping[int, Any],
    refusals: Refusals,
    *,
    write: Callable[[list[Any]], list[Any]],
    reserve: Callable[[list[Any]], None],
    is_atomic: bool,
) -> dict[int, Any]:
    """Write all of them, or as many from the first on as the limits allow; refuse the others.

    `write` reserves as its last step. Raises Refused("limit_reached") when it is all or none.
    """
    places, rows = list(wanted), list(wanted.values())
    try:
        with transaction.atomic():
            return dict(zip(places, write(rows), strict=True)) if rows else {}
    except Refused as refusal:
        if refusal.code != "limit_reached":
            raise
        if is_atomic:
            raise Refused(refusal.code, "items", refusal.message) from refusal
        count = _most_allowed(rows, reserve)
        refusals |= dict.fromkeys(places[count:], refusal)
    return dict(zip(places[:count], write(rows[:count]), strict=True)) if count else {}


def repeated_in_alias_domains(addresses: Mapping[str, int]) -> set[str]:
    """Let the alias domains follow these addresses, each with its domain's id; return all addresses concerned."""
    followed = Domain.objects.filter(alias_of__in=set(addresses.values()), is_live=1)
    return set(addresses) | {
        address
        for main in set(followed.values_list("alias_of_id", flat=True))
        for address in follow_addresses(main, [one for one, domain_id in addresses.items() if domain_id == main])
    }


def _most_allowed(rows: list[Any], reserve: Callable[[list[Any]], None]) -> int:
    """Return how many of these, from the first on, the limits allow: fewer than all, found by halving."""
    fits, fails = 0, len(rows)
    while fails - fits > 1:
        count = (fits + fails) // 2
        try:
            with transaction.atomic():
                reserve(rows[:count])
                transaction.set_rollback(True)
            fits = count
        except Refused:
            fails = count
    return fits
