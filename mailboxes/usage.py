"""What tenants have of mailboxes, aliases and stored mail, counted in the tables (`tenants.usage`)."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Count, Sum

from mailboxes.models import Alias, Mailbox

STORED = """
SELECT domain.tenant_id, SUM(used.bytes), SUM(used.messages)
FROM mail_quota_usage used
JOIN mail_mailboxes mailbox ON mailbox.live_email = used.username
JOIN mail_domains domain ON domain.id = mailbox.domain_id
GROUP BY domain.tenant_id
"""


def count(tenant_ids: Iterable[int] | None = None) -> dict[int, dict[str, int]]:
    """Count live mailboxes, what they may hold, and aliases: of these tenants, or of all in scope."""
    mailboxes = Mailbox.objects.order_by().filter(is_live=1)
    aliases = Alias.objects.written().order_by()
    if tenant_ids is not None:
        mailboxes, aliases = (rows.filter(domain__tenant__in=tenant_ids) for rows in (mailboxes, aliases))
    found: dict[int, dict[str, int]] = {}
    each = mailboxes.values_list("domain__tenant").annotate(Count("pk"), Sum("storage_quota"))
    for pk, number, storage_mb in each:
        found[pk] = {"mailboxes": number, "storage_mb": int(storage_mb)}
    # A source with many targets is one alias; a domain has each source once.
    for pk, number in aliases.values_list("domain__tenant").annotate(Count("alias_email", distinct=True)):
        found.setdefault(pk, {})["aliases"] = number
    return found


def stored() -> dict[int, dict[str, int]]:
    """Return the bytes and messages of every tenant, as Dovecot counted them."""
    with connection.cursor() as cursor:
        cursor.execute(STORED)
        rows = cursor.fetchall()
    return {pk: {"stored_bytes": int(used), "stored_messages": int(messages)} for pk, used, messages in rows}
