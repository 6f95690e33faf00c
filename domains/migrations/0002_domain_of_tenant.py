"""What mailboxes point at together (a domain and its tenant), and the order of a tenant's list of domains."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("domains", "0001_initial")]

    operations = [
        migrations.AddConstraint("domain", models.UniqueConstraint(fields=["id", "tenant"], name="domain_of_tenant")),
        migrations.AddIndex(
            "domain", models.Index(fields=["tenant", "is_live", "domain_name"], name="domain_list_of_tenant")
        ),
    ]
