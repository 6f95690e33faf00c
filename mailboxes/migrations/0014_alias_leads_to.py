"""What Postfix is answered stands in one column, and in its index: choosing between two costs a twentieth."""

from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0013_alias_routed_gone")]

    operations = [
        migrations.AddField(
            "alias",
            "leads_to",
            models.GeneratedField(
                db_persist=True,
                expression=Coalesce("queued_as", "destination_email"),
                output_field=models.CharField(db_collation="ascii_bin", max_length=283),
            ),
        ),
        migrations.AddIndex("alias", models.Index(fields=["routed_email", "leads_to"], name="alias_leads_to")),
    ]
