from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0005_mailbox_lists_of_tenant")]

    operations = [
        # Dovecot asks for "may_" and its own name of the service.
        migrations.RenameField("mailbox", "may_send", "may_smtp"),
        migrations.RenameField("mailbox", "may_managesieve", "may_sieve"),
        migrations.AddField(
            "mailbox",
            "quota_rule",
            models.GeneratedField(
                expression=Concat(Value("*:storage="), "storage_quota", Value("M")),
                output_field=models.CharField(max_length=30),
                db_persist=True,
            ),
        ),
    ]
