from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0007_notice_said"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="plus_addressing",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
