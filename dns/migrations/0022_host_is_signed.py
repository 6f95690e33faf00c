from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0021_failing_publishing"),
    ]

    operations = [
        migrations.AddField(
            model_name="hoststate",
            name="is_signed",
            field=models.BooleanField(null=True),
        ),
    ]
