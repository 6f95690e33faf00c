"""Lists by address and by use are answered from an index alone."""

from django.db import migrations, models

NARROWED_BY = ["is_enabled", "is_active", "used_percent", "display_name"]


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0007_mailbox_used_percent")]

    operations = [
        migrations.AddIndex(
            "mailbox",
            models.Index(fields=["domain", "is_live", "email", *NARROWED_BY], name="mailbox_list_of_domain"),
        ),
        migrations.AddIndex(
            "mailbox",
            models.Index(fields=["tenant", "is_live", "email", *NARROWED_BY], name="mailbox_list_of_tenant"),
        ),
        migrations.AddIndex(
            "mailbox",
            models.Index(fields=["tenant", "is_live", "used_percent", "id"], name="mailbox_of_tenant_by_use"),
        ),
    ]
