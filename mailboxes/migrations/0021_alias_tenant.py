"""An alias knows its tenant, that of its domain. Expanded first: rows that are there are filled at once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailboxes", "0020_kept_aliases"),
        ("tenants", "0004_fill_allowances"),
    ]

    operations = [
        migrations.AddField(
            "alias",
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
            "UPDATE mail_aliases alias JOIN mail_domains domain ON domain.id = alias.domain_id"
            " SET alias.tenant_id = domain.tenant_id",
            migrations.RunSQL.noop,
        ),
    ]
