"""The database itself keeps what Postfix is answered, in the statement that changes an alias's row."""

from django.db import migrations

# Rows are read locked: of two that change rows of one source at once, the second sees what the first has written.
TRIGGERS = {
    # Nearly always the only row of its source.
    "alias_route_of_new": """
AFTER INSERT ON mail_aliases FOR EACH ROW
IF NEW.routed_email IS NOT NULL THEN
  INSERT INTO mail_routes (source, leads_to) VALUES (NEW.routed_email, NEW.leads_to)
  ON DUPLICATE KEY UPDATE leads_to = (
    SELECT GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
    WHERE routed_email = NEW.routed_email LOCK IN SHARE MODE);
END IF""",
    "alias_route_of_changed": """
AFTER UPDATE ON mail_aliases FOR EACH ROW
IF NOT (NEW.routed_email <=> OLD.routed_email AND NEW.leads_to <=> OLD.leads_to) THEN
  DELETE FROM mail_routes WHERE source IN (OLD.routed_email, NEW.routed_email);
  INSERT INTO mail_routes (source, leads_to)
  SELECT routed_email, GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
  WHERE routed_email IN (OLD.routed_email, NEW.routed_email) GROUP BY routed_email LOCK IN SHARE MODE;
END IF""",
    "alias_route_of_deleted": """
AFTER DELETE ON mail_aliases FOR EACH ROW
IF OLD.routed_email IS NOT NULL THEN
  DELETE FROM mail_routes WHERE source = OLD.routed_email;
  INSERT INTO mail_routes (source, leads_to)
  SELECT routed_email, GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
  WHERE routed_email = OLD.routed_email GROUP BY routed_email LOCK IN SHARE MODE;
END IF""",
}


def trigger(name: str, text: str) -> migrations.RunSQL:
    # Dropped first, so that a migration that ended half-way runs again.
    drop = f"DROP TRIGGER IF EXISTS {name}"
    return migrations.RunSQL([drop, f"CREATE TRIGGER {name} {text}"], drop)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("mailboxes", "0021_routes")]

    operations = [trigger(name, text) for name, text in TRIGGERS.items()]
