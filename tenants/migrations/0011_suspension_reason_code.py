from django.db import migrations, models

import tenants.models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0010_suspension_note")]

    operations = [
        migrations.AlterField(
            "tenant",
            "suspension_reason",
            models.CharField(max_length=20, choices=tenants.models.suspension_reasons, default="", blank=True),
        )
    ]
