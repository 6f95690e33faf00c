import secrets

from django.db import migrations

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def fill(apps, schema_editor) -> None:
    """Safe to run again: only what is empty is filled."""
    members = apps.get_model("tenants", "Member")
    for pk in members.objects.filter(uid=None).values_list("pk", flat=True).iterator():
        members.objects.filter(pk=pk).update(uid="".join(secrets.choice(ALPHABET) for _ in range(20)))


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_member_uid")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
