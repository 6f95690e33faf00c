"""The tenant of a mailbox is that of its domain, whoever writes it; a tenant's lists are ranges of an index."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0004_mailbox_tenant")]

    operations = [
        migrations.AlterField(
            "mailbox",
            "tenant",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                db_constraint=False,
                db_index=False,
                editable=False,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE mail_mailboxes ADD CONSTRAINT mailbox_tenant_of_domain FOREIGN KEY (domain_id, tenant_id)"
            " REFERENCES mail_domains (id, tenant_id) ON UPDATE CASCADE",
            "ALTER TABLE mail_mailboxes DROP FOREIGN KEY mailbox_tenant_of_domain",
        ),
        migrations.AddIndex("mailbox", models.Index(fields=["tenant", "is_live", "email"], name="mailbox_of_tenant")),
        migrations.AddIndex(
            "mailbox", models.Index(fields=["tenant", "is_live", "id"], name="mailbox_of_tenant_by_age")
        ),
    ]
