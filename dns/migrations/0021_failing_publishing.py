from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0020_lame_servers"),
    ]

    operations = [
        migrations.AddField("zoneaccess", "failing_since", models.DateTimeField(null=True)),
        migrations.AddField("zoneaccess", "failure_told_at", models.DateTimeField(null=True)),
    ]
