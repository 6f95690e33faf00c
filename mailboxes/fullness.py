"""How full mailboxes are, noted beside their addresses: a list of the full ones is then a range of an index.

Dovecot writes the bytes after each delivery, under the address; what a list shows of a row is always that figure.
"""

from collections import defaultdict

from django.db import connection

from mailboxes.models import Mailbox
from mailhost.scope import every_tenant

# The column holds more, and nobody asks.
MOST_PERCENT = 999
# Mailboxes changed by one statement.
AT_ONCE = 500
CHANGED = f"""
SELECT id, percent FROM (
    SELECT mailbox.id, mailbox.used_percent,
           LEAST({MOST_PERCENT}, FLOOR(COALESCE(used.bytes, 0) * 100 / (mailbox.storage_quota * 1048576))) AS percent
    FROM mail_mailboxes mailbox LEFT JOIN mail_quota_usage used ON used.username = mailbox.live_email
) counted WHERE percent <> used_percent ORDER BY id
"""  # noqa: S608 - put together from the constant above


def note_fullness() -> int:
    """Bring every mailbox's noted fullness up to date; return how many changed. The reading locks nothing."""
    by_percent: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        for pk, percent in cursor.fetchall():
            by_percent[int(percent)].append(pk)
    with every_tenant("the clock notes the fullness of every mailbox"):
        for percent, pks in sorted(by_percent.items()):
            for start in range(0, len(pks), AT_ONCE):
                Mailbox.objects.filter(pk__in=pks[start : start + AT_ONCE]).update(used_percent=percent)
    return sum(map(len, by_percent.values()))
