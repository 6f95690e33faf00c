"""An alias as people mean it: one source with all its targets, which are rows of their own in `mail_aliases`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from mailboxes.models import Alias
from mailhost.recorded import Group


@dataclass(frozen=True)
class AliasGroup(Group):
    """All rows of one source in one domain. It goes by the id of its oldest row."""

    rows: tuple[Alias, ...]

    def __str__(self) -> str:
        return self.source

    @property
    def uid(self) -> str:
        return min(self.rows, key=lambda row: row.pk).uid

    @property
    def source(self) -> str:
        """The source as it is written by people: a catch-all begins with a star."""
        stored = self.rows[0].alias_email
        return f"*{stored}" if self.is_catch_all else stored

    @property
    def is_catch_all(self) -> bool:
        return self.rows[0].is_catch_all

    @property
    def domain_name(self) -> str:
        return self.rows[0].domain.domain_name

    @property
    def targets(self) -> list[str]:
        return [row.destination_email for row in self.rows]

    @property
    def is_enabled(self) -> bool:
        return any(row.is_enabled for row in self.rows)

    @property
    def is_routed(self) -> bool:
        return any(row.is_routed for row in self.rows)

    @property
    def created_at(self) -> datetime:
        return min(row.created_at for row in self.rows)

    @property
    def updated_at(self) -> datetime:
        return max(row.updated_at for row in self.rows)


def sources_of(tenants: tuple[int, ...] | None, words: str = "") -> QuerySet:
    """What lists of aliases page by: each source once, in the lists' order, of these tenants in scope, None for all
    (see `mailboxes.listing.whose`), and with these words."""
    rows = Alias.objects.filter(own_mailbox=None, is_denial=False)
    rows = rows if tenants is None else rows.filter(tenant_id__in=tenants)
    rows = matching_sources(rows, words) if words else rows
    return rows.of_main_domains().order_by("alias_email", "domain_id").values("alias_email", "domain_id").distinct()


def matching_sources(rows: QuerySet, words: str) -> QuerySet:
    """Return the aliases with these words, in small letters, in their source or a target."""
    return rows.filter(Q(alias_email__contains=words) | Q(destination_email__contains=words))


def groups_of(found: Iterable[Mapping[str, object]]) -> list[AliasGroup]:
    """Return the groups of these sources, in their order, with one query."""
    keys = [(source["alias_email"], source["domain_id"]) for source in found]
    rows = defaultdict(list)
    for row in Alias.objects.in_order().filter(alias_email__in={source for source, _ in keys}):
        # Were this a condition of the query, MariaDB would read all aliases of the tenant, as it has an index for it.
        if row.own_mailbox_id is None and not row.is_denial:
            rows[row.alias_email, row.domain_id].append(row)
    return [AliasGroup(tuple(rows[key])) for key in keys if rows[key]]


def group_of_new(rows: Sequence[Alias]) -> AliasGroup:
    """Return the group of rows that were just made: there are no others when the source led nowhere before."""
    if rows[0].is_first:
        return AliasGroup(tuple(sorted(rows, key=lambda row: row.destination_email)))
    return group_with(rows[0])


def group_with(row: Alias) -> AliasGroup:
    """Return the group that a row belongs to, as it stands in the database."""
    return AliasGroup(tuple(Alias.objects.listed().filter(alias_email=row.alias_email, domain=row.domain_id)))
