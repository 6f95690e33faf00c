from django.db import migrations

# allauth's unique_authenticator_type has a condition, which MariaDB drops without a word. Passkeys may be many.
HOLD = """
ALTER TABLE mfa_authenticator
  ADD COLUMN single_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (IF(type IN ('totp', 'recovery_codes'), type, NULL)) STORED,
  ADD CONSTRAINT authenticator_once UNIQUE (user_id, single_type)
"""
# The index also serves the foreign key, so it goes with another one in its place.
LET_GO = """
ALTER TABLE mfa_authenticator
  ADD INDEX mfa_authenticator_user (user_id), DROP INDEX authenticator_once, DROP COLUMN single_type
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_one_verified_owner_of_an_address"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunSQL(HOLD, LET_GO)]
