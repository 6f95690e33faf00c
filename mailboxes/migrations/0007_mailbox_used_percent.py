from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0006_plain_sign_in")]

    operations = [
        migrations.AddField("mailbox", "used_percent", models.PositiveSmallIntegerField(default=0, db_default=0)),
    ]
