from django.db import migrations

import mailhost.fields


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_member_uid_filled")]

    operations = [
        migrations.AlterField(
            model_name="member",
            name="uid",
            field=mailhost.fields.UidField(
                db_collation="ascii_bin",
                default=mailhost.fields.new_uid,
                editable=False,
                max_length=20,
                unique=True,
            ),
        ),
    ]
