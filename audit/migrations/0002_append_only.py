from django.db import migrations

REFUSE = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{}'"
EVENTS = REFUSE.format("audit events are never changed or deleted")
CHAINS = REFUSE.format("the chain of audit events only grows")
GROWS = "NEW.tenant_id = OLD.tenant_id AND NEW.length = OLD.length + 1"
TRIGGERS = {
    "audit_event_is_not_changed": f"BEFORE UPDATE ON audit_event FOR EACH ROW {EVENTS}",
    "audit_event_is_not_deleted": f"BEFORE DELETE ON audit_event FOR EACH ROW {EVENTS}",
    "audit_chain_only_grows": f"BEFORE UPDATE ON audit_chain FOR EACH ROW IF NOT ({GROWS}) THEN {CHAINS}; END IF",
    "audit_chain_is_not_deleted": f"BEFORE DELETE ON audit_chain FOR EACH ROW {CHAINS}",
}


def trigger(name: str, text: str) -> migrations.RunSQL:
    # Dropped first, so that a migration that ended half-way runs again.
    drop = f"DROP TRIGGER IF EXISTS {name}"
    return migrations.RunSQL([drop, f"CREATE TRIGGER {name} {text}"], drop)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("audit", "0001_events")]

    operations = [trigger(name, text) for name, text in TRIGGERS.items()]
