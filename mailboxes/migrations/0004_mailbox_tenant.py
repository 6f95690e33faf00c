"""A mailbox knows its tenant, that of its domain. Expanded first: rows that are there are filled next."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0002_domain_of_tenant"),
        ("mailboxes", "0003_app_passwords"),
        ("tenants", "0004_fill_allowances"),
    ]

    operations = [
        migrations.AddField(
            "mailbox",
            "tenant",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                db_constraint=False,
                db_index=False,
                editable=False,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.RunSQL(
            "UPDATE mail_mailboxes mailbox JOIN mail_domains domain ON domain.id = mailbox.domain_id"
            " SET mailbox.tenant_id = domain.tenant_id",
            migrations.RunSQL.noop,
        ),
    ]
