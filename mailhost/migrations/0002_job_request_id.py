"""A job remembers the request that asked for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailhost", "0001_initial")]

    operations = [
        migrations.AddField("job", "request_id", models.CharField(default="", max_length=64)),
    ]
