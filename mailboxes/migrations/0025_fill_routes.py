"""The routes of the rows that were there before the triggers; what is written meanwhile waits, what is asked does not."""

from django.db import migrations

FILL = """
INSERT INTO mail_routes (source, leads_to)
SELECT routed_email, GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
WHERE routed_email IS NOT NULL GROUP BY routed_email LOCK IN SHARE MODE
ON DUPLICATE KEY UPDATE source = source
"""


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0024_routes_follow_aliases")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
