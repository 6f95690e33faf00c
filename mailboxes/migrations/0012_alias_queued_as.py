"""A successor's own row says under which address Postfix queues its mail; the index still holds the whole answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0011_successors")]

    operations = [
        migrations.AddField(
            "alias",
            "queued_as",
            models.CharField(db_collation="ascii_bin", editable=False, max_length=283, null=True),
        ),
        migrations.AddIndex(
            "alias", models.Index(fields=["routed_email", "destination_email", "queued_as"], name="alias_route")
        ),
    ]
