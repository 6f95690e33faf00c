from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("domains", "0006_default_quota")]

    operations = [migrations.AddField("domainnotice", "said", models.JSONField(default=dict))]
