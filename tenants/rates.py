"""The rates that bind a tenant, as a column of somebody else's query: no statement of its own for each request."""

from django.db.models import Func, JSONField


class RatesAlong(Func):
    """[[tenant id, limit], …] of everybody on a tenant's path who holds this rate, as `tenants.limits.rates_along`.

    The ids on the path become rows, so each holder is a probe of the primary key.
    """

    template = (
        "(SELECT JSON_ARRAYAGG(JSON_ARRAY(holder.tenant_id, holder.%(rate)s)) FROM JSON_TABLE("
        "CONCAT('[', REPLACE(TRIM(BOTH '/' FROM %(expressions)s), '/', ','), ']'), '$[*]' COLUMNS (id BIGINT PATH '$')"
        ") link STRAIGHT_JOIN tenants_allowance holder FORCE INDEX (PRIMARY) ON holder.tenant_id = link.id"
        " WHERE holder.%(rate)s IS NOT NULL)"
    )
    output_field = JSONField()

    def __init__(self, path, *, rate: str) -> None:
        super().__init__(path, rate=rate)
