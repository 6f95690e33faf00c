from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="dkimkey",
            name="fingerprint",
            field=models.CharField(db_collation="ascii_bin", default="", max_length=64),
            preserve_default=False,
        ),
    ]
