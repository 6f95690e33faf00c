from django.db import migrations

# allauth's unique_verified_email and unique_primary_email have conditions, which MariaDB drops without a word.
HOLD = """
ALTER TABLE account_emailaddress
  ADD COLUMN verified_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE {collation}
    GENERATED ALWAYS AS (IF(verified, email, NULL)) STORED,
  ADD COLUMN primary_of BIGINT GENERATED ALWAYS AS (IF(`primary`, user_id, NULL)) STORED,
  ADD CONSTRAINT email_verified_once UNIQUE (verified_email),
  ADD CONSTRAINT email_primary_once UNIQUE (primary_of)
"""
LET_GO = """
ALTER TABLE account_emailaddress
  DROP INDEX email_verified_once, DROP INDEX email_primary_once, DROP COLUMN verified_email, DROP COLUMN primary_of
"""


def hold(apps, schema_editor) -> None:
    collation = "utf8mb4_nopad_bin" if schema_editor.connection.mysql_is_mariadb else "utf8mb4_0900_bin"
    schema_editor.execute(HOLD.format(collation=collation))


class Migration(migrations.Migration):
    # MariaDB commits at each ALTER TABLE anyway.
    atomic = False

    dependencies = [
        ("accounts", "0004_impersonation"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(hold, lambda apps, schema_editor: schema_editor.execute(LET_GO))]
