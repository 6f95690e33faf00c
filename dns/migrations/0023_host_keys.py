from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0022_host_is_signed"),
    ]

    operations = [
        migrations.AddField(
            model_name="hoststate",
            name="keys",
            field=models.JSONField(null=True),
        ),
    ]
