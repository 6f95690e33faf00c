import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0024_host_records"),
        ("domains", "0007_notice_said"),
    ]

    operations = [
        migrations.CreateModel(
            name="Logo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("logo_url", models.CharField(max_length=400)),
                ("certificate_url", models.CharField(default="", max_length=400)),
                ("since", models.DateTimeField()),
                (
                    "domain",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="logo", to="domains.domain"
                    ),
                ),
            ],
            options={
                "db_table": "dns_logos",
            },
        ),
    ]
