"""Lists of a tenant's aliases, in their order, out of one index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0021_alias_tenant")]

    operations = [
        migrations.AddIndex(
            model_name="alias",
            index=models.Index(
                fields=["tenant", "own_mailbox", "is_denial", "alias_email", "domain", "destination_email"],
                name="alias_list_of_tenant",
            ),
        ),
    ]
