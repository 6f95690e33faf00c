"""What Postfix is answered for a source stands in one row, under its primary key."""

from django.db import migrations, models

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0022_alias_list_of_tenant")]

    operations = [
        migrations.CreateModel(
            "Route",
            fields=[
                ("source", mailhost.fields.ExactCharField(max_length=254, primary_key=True, serialize=False)),
                ("leads_to", models.CharField(db_collation="ascii_bin", max_length=28684)),
            ],
            options={"db_table": "mail_routes"},
        ),
    ]
