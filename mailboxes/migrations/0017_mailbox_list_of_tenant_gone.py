"""What stands in the index by address without the switches replaces the one with them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0016_mailbox_by_standing")]

    operations = [migrations.RemoveIndex("mailbox", "mailbox_list_of_tenant")]
