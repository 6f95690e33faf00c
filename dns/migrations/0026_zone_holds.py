from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0025_logos"),
    ]

    operations = [
        migrations.CreateModel(
            name="ZoneHold",
            fields=[
                ("domain_pk", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "dns_zone_holds",
            },
        ),
    ]
