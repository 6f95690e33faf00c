from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0003_signer"),
    ]

    operations = [
        migrations.RenameField("signinggeneration", "written_at", "wanted_at"),
    ]
