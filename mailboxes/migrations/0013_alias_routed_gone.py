from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0012_alias_queued_as")]

    operations = [migrations.RemoveIndex("alias", "alias_routed")]
