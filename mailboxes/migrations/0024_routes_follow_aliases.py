"""The database itself keeps what Postfix is answered, in the statement that changes an alias's row."""

from django.db import migrations

# Nearly always the row is the only one of its source, and one statement by primary key does it. Where it is not, the
# others are read locked: of two that change rows of one source at once, the second sees what the first has written.
PUT = """
  INSERT INTO mail_routes (source, leads_to) VALUES (NEW.routed_email, NEW.leads_to)
  ON DUPLICATE KEY UPDATE leads_to = (
    SELECT GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
    WHERE routed_email = NEW.routed_email LOCK IN SHARE MODE);
"""
TAKE = """
  DELETE FROM mail_routes WHERE source = OLD.routed_email AND leads_to = OLD.leads_to;
  IF ROW_COUNT() = 0 THEN
    DELETE FROM mail_routes WHERE source = OLD.routed_email;
    INSERT INTO mail_routes (source, leads_to)
    SELECT routed_email, GROUP_CONCAT(leads_to ORDER BY id) FROM mail_aliases
    WHERE routed_email = OLD.routed_email GROUP BY routed_email LOCK IN SHARE MODE;
  END IF;
"""
PUT_IF_ROUTED = ("IF NEW.routed_email IS NOT NULL THEN", PUT, "END IF;")
TAKE_IF_ROUTED = ("IF OLD.routed_email IS NOT NULL THEN", TAKE, "END IF;")
IS_AS_BEFORE = "NEW.routed_email <=> OLD.routed_email AND NEW.leads_to <=> OLD.leads_to"
TRIGGERS = {
    "alias_route_of_new": ("AFTER INSERT", *PUT_IF_ROUTED),
    "alias_route_of_changed": (
        "AFTER UPDATE",
        f"IF NOT ({IS_AS_BEFORE}) THEN",
        *TAKE_IF_ROUTED,
        *PUT_IF_ROUTED,
        "END IF;",
    ),
    "alias_route_of_deleted": ("AFTER DELETE", *TAKE_IF_ROUTED),
}


def trigger(name: str, when: str, *body: str) -> migrations.RunSQL:
    # Dropped first, so that a migration that ended half-way runs again.
    drop = f"DROP TRIGGER IF EXISTS {name}"
    create = [f"CREATE TRIGGER {name} {when} ON mail_aliases FOR EACH ROW BEGIN", *body, "END"]
    return migrations.RunSQL([drop, "\n".join(create)], drop)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("mailboxes", "0023_routes")]

    operations = [trigger(name, *parts) for name, parts in TRIGGERS.items()]
