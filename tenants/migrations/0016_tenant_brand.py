import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0015_brand_logo")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="brand",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="tenants.brand"
            ),
        ),
    ]
