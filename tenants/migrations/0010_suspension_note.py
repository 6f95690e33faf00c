from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_member_uid_unique")]

    operations = [
        migrations.AddField(
            "tenant", "suspension_note", models.CharField(max_length=500, default="", db_default="", blank=True)
        ),
        migrations.AddField("tenant", "suspended_at", models.DateTimeField(null=True)),
        # What was written as a reason is a note from now on.
        migrations.RunSQL(
            "UPDATE tenants_tenant SET suspension_note = suspension_reason, suspension_reason = 'other',"
            " suspended_at = updated_at WHERE suspension_reason <> ''",
            "UPDATE tenants_tenant SET suspension_reason = suspension_note WHERE suspension_reason <> ''",
        ),
    ]
