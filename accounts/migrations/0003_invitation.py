import django.db.models.deletion
from django.db import migrations, models

import mailhost.fields
import tenants.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_api_key_tenant"),
        ("tenants", "0009_member_uid_unique"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
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
                ("email", mailhost.fields.ExactCharField(max_length=254)),
                ("role", models.CharField(choices=tenants.models.roles, max_length=20)),
                ("invited_by", models.CharField(max_length=254)),
                (
                    "nonce",
                    mailhost.fields.UidField(
                        db_collation="ascii_bin",
                        default=mailhost.fields.new_uid,
                        editable=False,
                        max_length=20,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "open_email",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(accepted_at=None, revoked_at=None, then=models.F("email")), default=None
                        ),
                        output_field=mailhost.fields.ExactCharField(max_length=254, null=True),
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "open_email"), name="invitation_once")],
            },
        ),
    ]
