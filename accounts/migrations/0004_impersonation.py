import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_invitation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Impersonation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uid",
                    mailhost.fields.UidField(
                        db_collation="ascii_bin",
                        default=mailhost.fields.new_uid,
                        editable=False,
                        max_length=20,
                        unique=True,
                    ),
                ),
                ("impersonator_tenant", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=500)),
                ("address", models.CharField(default="", max_length=45)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "impersonator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impersonations_made",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="impersonations", to="tenants.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impersonations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["tenant", "started_at"], name="impersonation_of_tenant")],
            },
        ),
    ]
