from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dns", "0018_host_states"),
        ("domains", "0006_default_quota"),
    ]

    operations = [
        migrations.AddField("dkimkey", "by_alias", models.BooleanField(default=False, db_default=False)),
        migrations.AddField(
            "dkimkey",
            "shown_selector",
            models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(models.Q(("state", "retired"), _negated=True), then=models.F("selector")), default=None
                ),
                output_field=models.CharField(db_collation="ascii_bin", max_length=40, null=True),
            ),
        ),
        migrations.AddConstraint(
            "dkimkey",
            models.UniqueConstraint(fields=("domain", "shown_selector"), name="dkim_selector_in_dns_once"),
        ),
        migrations.RemoveConstraint("dkimkey", "dkim_selector_once"),
    ]
