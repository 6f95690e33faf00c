import django.db.models.deletion
from django.db import migrations, models

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0019_dkim_by_alias"),
        ("domains", "0006_default_quota"),
    ]

    operations = [
        migrations.CreateModel(
            name="LameServer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("server", mailhost.fields.ExactCharField(max_length=253)),
                ("outcome", models.CharField(max_length=20)),
                ("since", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("looks", models.PositiveSmallIntegerField(default=1)),
                ("told_at", models.DateTimeField(null=True)),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lame_servers", to="domains.domain"
                    ),
                ),
            ],
            options={
                "db_table": "dns_lame_servers",
                "constraints": [models.UniqueConstraint(fields=("domain", "server"), name="lame_server_once")],
            },
        ),
    ]
