import django.db.models.deletion
from django.db import migrations, models

import dns.models
import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0023_host_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="HostRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", mailhost.fields.UidField()),
                ("purpose", models.CharField(choices=dns.models.purposes, max_length=20)),
                ("record_type", models.CharField(max_length=10)),
                ("name", mailhost.fields.ExactCharField(max_length=253)),
                ("value", models.TextField()),
                ("ttl", models.PositiveIntegerField(default=3600, help_text="seconds")),
                ("priority", models.PositiveSmallIntegerField(null=True)),
                ("necessity", models.CharField(choices=dns.models.necessities, max_length=20)),
                ("status", models.CharField(choices=dns.models.statuses, default="not_checked", max_length=20)),
                ("found", models.JSONField(default=list)),
                ("problem", models.CharField(default="", max_length=500)),
                ("problem_said", models.JSONField(default=dict)),
                ("last_checked_at", models.DateTimeField(null=True)),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="records", to="dns.hoststate"
                    ),
                ),
            ],
            options={
                "db_table": "dns_host_records",
            },
        ),
    ]
