from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0014_alias_leads_to")]

    operations = [migrations.RemoveIndex("alias", "alias_route")]
