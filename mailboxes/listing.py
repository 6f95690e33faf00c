"""Lists of mailboxes, for pages and API: the page is found in an index alone, and only its rows are then read.

Sorting whole rows with their quota use takes seconds in a tenant with 100,000 mailboxes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import Exact

from mailboxes.models import Mailbox
from mailhost.actor import Actor
from mailhost.hints import sifted_in
from mailhost.keyset import Stages, beyond
from mailhost.prepared import Prepared
from tenants.models import Kind
from tenants.references import tenants_in_scope

# What a mailbox may be like, by the word that a list is asked with.
STATUSES = {
    "active": {"is_enabled": True, "is_active": True},
    # It follows, and says the index a whole beginning.
    "suspended": {"is_enabled": False, "is_active": False},
    "inactive": {"is_enabled": True, "is_active": False},
}
# By the fullness that the clock has noted.
FULLNESSES = {"nearly": {"used_percent__gte": 80}, "full": {"used_percent__gte": 95}}
# Each order is one of an index. Of live mailboxes an address is unique, and with "pk" behind it the index, which goes
# on with what lists are narrowed by, would no longer be in this order.
BY_ADDRESS = ("email",)
ORDERS = {
    "": BY_ADDRESS,
    "newest": ("-pk",),
    "oldest": ("pk",),
    "fullest": ("-used_percent", "-pk"),
}

# No character sorts behind it.
LAST_SIGN = "\U0010ffff"

# Rows of a download that are read at once.
AT_ONCE = 500
# Naming more tenants than this in a query costs more than it saves.
MOST_TENANTS = 1000


def mailbox_keys(*, of_one_domain: bool = False, of_tenant: int | None = None) -> QuerySet:
    """Return the keys of the live mailboxes in scope; order and narrow them as the list wants."""
    return keys_of(whose(of_one_domain=of_one_domain, of_tenant=of_tenant))


def whose(*, of_one_domain: bool = False, of_tenant: int | None = None) -> tuple[int, ...] | None:
    """Return the tenants that a query of lists names, or None. Mailboxes of one domain, to which the caller narrows
    them, are a range of an index without; so are those of a tenant with nobody below it, with that one."""
    if of_tenant is not None:
        return (of_tenant,)
    tenants = None if of_one_domain else tenants_in_scope(MOST_TENANTS)
    return None if tenants is None else tuple(tenants)


def named_tenants(actor: Actor, *, of_one_domain: bool) -> tuple[int, ...] | None:
    """The same for what an actor asks for: a customer has nobody below it."""
    of_tenant = actor.tenant_id if actor.tenant_kind == Kind.CUSTOMER else None
    return whose(of_one_domain=of_one_domain, of_tenant=None if of_one_domain else of_tenant)


def keys_of(tenants: tuple[int, ...] | None) -> QuerySet:
    rows = Mailbox.objects.filter(is_live=1).values("email", "pk", "used_percent")
    return rows if tenants is None else rows.filter(tenant_id__in=tenants)


def mailboxes_at(keys: Iterable[Mapping[str, Any]]) -> list[Mailbox]:
    """Return the mailboxes of one page, in its order."""
    pks = tuple(key["pk"] for key in keys)
    found = {row.pk: row for row in _mailboxes_of(pks=pks)}
    return [found[pk] for pk in pks if pk in found]


_mailboxes_of = Prepared(lambda pks: Mailbox.objects.listed().order_by().filter(pk__in=pks))


def all_of(rows: QuerySet) -> Iterator[Mailbox]:
    """Yield listed mailboxes in the order of their addresses, a few hundred in memory at a time.

    A streamed answer is made after its request has left the tenant's scope: `rows` were made inside of it.
    """
    rows = rows.filter(is_live=1).order_by(*BY_ADDRESS)
    last: Mailbox | None = None
    while True:
        batch = list((rows if last is None else rows.filter(beyond(BY_ADDRESS, (last.email,))))[:AT_ONCE])
        yield from batch
        if len(batch) < AT_ONCE:
            return
        last = batch[-1]


def matching(rows: QuerySet, words: str) -> QuerySet:
    """Return the mailboxes with these words, in small letters, in their address or display name."""
    return rows.filter(Q(email__contains=words) | Q(display_name__icontains=words))


def beginning_first(rows: QuerySet, words: str) -> Stages:
    """Return what was found for these words with those first whose address begins so: a range of an index, while
    words in the midst are looked for from address to address."""
    begins = Q(email__gte=words, email__lt=words + LAST_SIGN)
    # Said as a range, what does not begin so would be two ranges, and MariaDB slower by a fifth in reading both than
    # in reading all of the tenant's.
    others = rows.exclude(email__startswith=words)
    return Stages(rows.filter(begins), sifted_in(others, _index_of(others), lacking="uid"))


def _index_of(rows: QuerySet) -> str:
    """Return the index that has these in the order of their addresses, by the columns that they are narrowed to."""
    narrowed = {leaf.lhs.target.name for leaf in rows.query.where.leaves() if isinstance(leaf, Exact)}
    if "domain" in narrowed:
        return "mailbox_list_of_domain"
    return "mailbox_by_standing" if "is_enabled" in narrowed else "mailbox_by_address"
