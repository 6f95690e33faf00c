"""What leads to an address or a domain without being a mailbox's is one range of an index, whatever its details."""

from django.db import migrations, models
from django.db.models.functions import Concat

import mailhost.fields


def substring_index(text, mark, count):
    parts = (models.Value(mark), models.Value(count))
    return models.Func(text, *parts, function="SUBSTRING_INDEX", output_field=models.CharField())


TARGET_DOMAIN = substring_index(models.F("destination_email"), "@", -1)
TARGET_LOCAL = substring_index(substring_index(models.F("destination_email"), "@", 1), "+", 1)


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0025_fill_routes")]

    operations = [
        migrations.AddField(
            "alias",
            "next_stop",
            models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(target_mailbox=None, then=Concat(TARGET_DOMAIN, models.Value("@"), TARGET_LOCAL)),
                    default=None,
                ),
                output_field=mailhost.fields.ExactCharField(max_length=254, null=True),
            ),
        ),
        migrations.AddIndex("alias", models.Index(fields=["next_stop"], name="alias_next_stop")),
    ]
