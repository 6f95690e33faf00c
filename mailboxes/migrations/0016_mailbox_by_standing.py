"""Lists of what is suspended, active or neither are ranges of an index, in the order of addresses."""

from django.db import migrations, models

NARROWED_BY = ["used_percent", "display_name"]


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0015_alias_route_gone")]

    operations = [
        migrations.AddIndex(
            "mailbox",
            models.Index(
                fields=["tenant", "is_live", "is_enabled", "is_active", "email", *NARROWED_BY],
                name="mailbox_by_standing",
            ),
        ),
        migrations.AddIndex(
            "mailbox",
            models.Index(fields=["tenant", "is_live", "email", *NARROWED_BY], name="mailbox_by_address"),
        ),
    ]
