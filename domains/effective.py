"""What daemons read of a domain follows from its proof, its switch, its main domain and its tenant."""

from django.db import connection

from domains.models import Domain
from tenants.effective import subtree
from tenants.locks import Standing

# is_active: the domain works at all. is_verified: it takes mail, which Postfix asks.
ACTIVE = """
    domain.deleted_at IS NULL AND domain.is_enabled = 1
    AND (tenant.may_sign_in = 1 OR tenant.may_send = 1 OR tenant.may_receive = 1)
    AND (main.id IS NULL OR (main.deleted_at IS NULL AND main.is_enabled = 1 AND main.verified_at IS NOT NULL))
"""
UPDATE = """
UPDATE mail_domains domain
JOIN tenants_tenant tenant ON tenant.id = domain.tenant_id
LEFT JOIN mail_domains main ON main.id = domain.alias_of_id
SET domain.is_active = {active},
    domain.is_verified = domain.verified_at IS NOT NULL AND tenant.may_receive = 1 AND {active},
    domain.plus_addressing = COALESCE(main.plus_addressing, domain.plus_addressing)
WHERE {which}
"""


def flags_of_new(owner: Standing, main: Domain | None) -> dict[str, bool]:
    """Return what the UPDATE above would write of a domain that is just made, without proof and with nothing in it."""
    works = owner.may_sign_in or owner.may_send or owner.may_receive
    if main is not None:
        works = works and main.deleted_at is None and main.is_enabled and main.verified_at is not None
    return {
        "is_active": works,
        "is_verified": False,
        "plus_addressing": main is None or main.plus_addressing,
    }


def recalculate(tenant_path: str | None = None, domain_id: int | None = None) -> None:
    """Write the effective flags of one domain and its alias domains, of a subtree's, or of all domains."""
    if domain_id is not None:
        which, values = "(domain.id = %s OR domain.alias_of_id = %s)", [domain_id, domain_id]
    elif tenant_path is not None:
        which, values = subtree("tenant.path", tenant_path)
    else:
        which, values = "TRUE", []
    with connection.cursor() as cursor:
        cursor.execute(UPDATE.format(active=ACTIVE, which=which), values)
