import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0011_suspension_reason_code")]

    operations = [
        migrations.AddField(
            "tenant",
            "deleted_with",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="tenants.tenant"
            ),
        ),
        migrations.AddField("tenant", "purged_at", models.DateTimeField(null=True)),
    ]
