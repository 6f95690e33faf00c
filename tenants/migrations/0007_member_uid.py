from django.db import migrations

import mailhost.fields


class Migration(migrations.Migration):
    """Empty at first: a column that is added gets one value for all rows."""

    dependencies = [("tenants", "0006_second_factor")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="uid",
            field=mailhost.fields.UidField(
                db_collation="ascii_bin", default=None, editable=False, max_length=20, null=True, unique=False
            ),
        ),
    ]
