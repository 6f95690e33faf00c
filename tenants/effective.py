"""What a tenant may do follows from its own suspension and from those above it; deleted, it may nothing."""

from django.db import connection

# The inner table is grouped, so MySQL, which may not read the table it updates, makes a copy of it first.
UPDATE = """
UPDATE tenants_tenant tenant
JOIN (
    SELECT below.id,
           COALESCE(MAX(above.blocks_sign_in), 0) AS no_sign_in,
           COALESCE(MAX(above.blocks_sending), 0) AS no_sending,
           COALESCE(MAX(above.blocks_receiving), 0) AS no_receiving
    FROM tenants_tenant below
    LEFT JOIN tenants_tenant above
      ON (above.blocks_sign_in = 1 OR above.blocks_sending = 1 OR above.blocks_receiving = 1)
     AND LEFT(below.path, CHAR_LENGTH(above.path)) = above.path
    WHERE {which}
    GROUP BY below.id
) blocked ON blocked.id = tenant.id
SET tenant.may_sign_in = NOT blocked.no_sign_in AND tenant.deleted_at IS NULL,
    tenant.may_send = NOT blocked.no_sending AND tenant.deleted_at IS NULL,
    tenant.may_receive = NOT blocked.no_receiving AND tenant.deleted_at IS NULL
"""


def recalculate(tenant_path: str | None = None, domain_id: int | None = None) -> None:
    """Write the `may_…` flags of a subtree, or of every tenant. A domain's change concerns no tenant."""
    if domain_id is not None:
        return
    which, values = ("TRUE", []) if tenant_path is None else subtree("below.path", tenant_path)
    with connection.cursor() as cursor:
        cursor.execute(UPDATE.format(which=which), values)


def subtree(column: str, path: str) -> tuple[str, list[str]]:
    """Return the SQL condition for the tenants at or below `path`: one index range."""
    return f"{column} >= %s AND {column} < %s", [path, path[:-1] + "0"]
