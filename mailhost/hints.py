"""What MariaDB is told about an index where it would choose worse for itself."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.sql.datastructures import BaseTable


class HintedTable(BaseTable):
    """A query's first table, of which MariaDB reads this index and no other."""

    def __init__(self, table_name: str, alias: str, index: str) -> None:
        super().__init__(table_name, alias)
        self.index = index

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, parameters = super().as_sql(compiler, connection)
        return f"{sql} FORCE INDEX ({connection.ops.quote_name(self.index)})", parameters

    def relabeled_clone(self, change_map: dict[str, str]) -> "HintedTable":
        return HintedTable(self.table_name, change_map.get(self.table_alias, self.table_alias), self.index)

    @property
    def identity(self) -> tuple[Any, ...]:
        return *super().identity, self.index


def sifted_in(rows: QuerySet, index: str, lacking: str) -> QuerySet:
    """Return the same rows, for a search that reads a large part of an index and finds little in it.

    MariaDB tests an entry while it stands in the index (index condition pushdown), and hands over only what passes,
    a third quicker, but not where the index alone answers the query. So `lacking`, a column of text that is never NULL
    and not in the index, is asked for.
    """
    rows = rows.filter(**{f"{lacking}__gte": ""})
    query = rows.query
    first = query.get_initial_alias()
    query.alias_map[first] = HintedTable(rows.model._meta.db_table, first, index)
    return rows
