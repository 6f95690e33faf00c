from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0015_signing_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="dnsrecord",
            name="problem_said",
            field=models.JSONField(default=dict),
        ),
    ]
