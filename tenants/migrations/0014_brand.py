import django.db.models.deletion
from django.db import migrations, models

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [("tenants", "0013_sent_messages")]

    operations = [
        migrations.CreateModel(
            name="Brand",
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
                ("name", models.CharField(max_length=60)),
                ("light", models.CharField(db_collation="ascii_bin", max_length=7)),
                ("dark", models.CharField(db_collation="ascii_bin", max_length=7)),
                ("support_email", models.CharField(blank=True, default="", max_length=254)),
                ("sign_in_text", models.CharField(blank=True, default="", max_length=300)),
                ("mail_footer", models.CharField(blank=True, default="", max_length=300)),
                ("logo_version", models.CharField(blank=True, db_collation="ascii_bin", default="", max_length=32)),
                ("host_name", mailhost.fields.ExactCharField(max_length=253, null=True)),
                ("challenge", models.CharField(blank=True, db_collation="ascii_bin", default="", max_length=32)),
                ("host_verified_at", models.DateTimeField(null=True)),
                (
                    "live_host",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(host_verified_at__isnull=False, then=models.F("host_name")), default=None
                        ),
                        output_field=mailhost.fields.ExactCharField(max_length=253, null=True),
                        unique=True,
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="own_brand", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
