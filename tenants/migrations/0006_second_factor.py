from django.db import migrations, models

import tenants.models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_audit_moved")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="second_factor",
            field=models.CharField(
                choices=tenants.models.second_factors, db_default="optional", default="optional", max_length=20
            ),
        ),
    ]
