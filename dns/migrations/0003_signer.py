from django.db import migrations, models

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0002_dkim_key_fingerprint"),
    ]

    operations = [
        migrations.CreateModel(
            name="Signer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", mailhost.fields.ExactCharField(max_length=253, unique=True)),
                ("written", models.PositiveBigIntegerField(default=0)),
                ("written_at", models.DateTimeField(null=True)),
                ("loaded", models.PositiveBigIntegerField(default=0)),
                ("checked_at", models.DateTimeField(null=True)),
                ("domains", models.PositiveIntegerField(default=0)),
                ("paced_until", models.DateTimeField(null=True)),
                ("problem", models.CharField(default="", max_length=500)),
                ("failing_since", models.DateTimeField(null=True)),
            ],
        ),
    ]
