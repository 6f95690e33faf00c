from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0004_signing_generation_wanted_at"),
    ]

    operations = [
        migrations.RemoveField("signinggeneration", "written"),
    ]
