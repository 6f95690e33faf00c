from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0008_mailbox_list_indexes")]

    operations = [
        migrations.RemoveIndex("mailbox", "mailbox_of_domain"),
        migrations.RemoveIndex("mailbox", "mailbox_of_tenant"),
    ]
