"""Mailboxes know whether their address was another's before; the addresses of purged ones are remembered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0010_imports")]

    operations = [
        migrations.AddField(
            "mailbox", "is_successor", models.BooleanField(db_default=False, default=False, editable=False)
        ),
        migrations.CreateModel(
            "FormerAddress",
            fields=[
                (
                    "digest",
                    models.CharField(db_collation="ascii_bin", max_length=64, primary_key=True, serialize=False),
                ),
            ],
            options={"db_table": "mail_former_addresses", "verbose_name_plural": "former addresses"},
        ),
    ]
