from django.db import migrations, models


class Migration(migrations.Migration):
    """Only what the models know of each other: nothing changes in the database."""

    dependencies = [("mailboxes", "0026_alias_next_stop")]

    operations = [
        migrations.AddField(
            "mailbox",
            "usage",
            models.ForeignObject(
                from_fields=["email"],
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="+",
                to="mailboxes.quotausage",
                to_fields=["username"],
            ),
        )
    ]
