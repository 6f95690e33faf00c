from django.db import migrations

READING = [
    "domains:read",
    "records:read",
    "mailboxes:read",
    "app_passwords:read",
    "aliases:read",
    "tenants:read",
    "keys:read",
    "audit:read",
]
MAIL = [*READING, "domains:write", "records:write", "mailboxes:write", "app_passwords:write", "aliases:write"]
ADMIN = [*MAIL, "keys:write", "tenants:write"]
SCOPES = {
    "owner": [*ADMIN, "members:write"],
    "admin": ADMIN,
    "mail_manager": MAIL,
    # Of writing scopes it had parts alone.
    "support": READING,
    "billing": ["tenants:read", "audit:read"],
    "read_only": READING,
}


def fill(apps, schema_editor):
    keys = apps.get_model("accounts", "ApiKey")._base_manager
    for role, scopes in SCOPES.items():
        keys.filter(role=role).update(scopes=scopes)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_key_scopes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
