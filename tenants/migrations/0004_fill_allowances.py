from django.db import migrations

# What stands in the tables on the day the book is opened.
FILL = """
INSERT INTO tenants_allowance (tenant_id, path, is_live, used_domains, used_mailboxes, used_aliases, used_storage_mb,
                               used_members, used_sub_tenants, stored_bytes, stored_messages)
SELECT tenant.id, tenant.path, tenant.deleted_at IS NULL,
    (SELECT COUNT(*) FROM mail_domains d WHERE d.tenant_id = tenant.id AND d.deleted_at IS NULL),
    (SELECT COUNT(*) FROM mail_domains d JOIN mail_mailboxes m ON m.domain_id = d.id
     WHERE d.tenant_id = tenant.id AND m.deleted_at IS NULL),
    (SELECT COUNT(DISTINCT a.domain_id, a.alias_email) FROM mail_domains d JOIN mail_aliases a ON a.domain_id = d.id
     WHERE d.tenant_id = tenant.id AND d.alias_of_id IS NULL AND a.own_mailbox_id IS NULL),
    (SELECT COALESCE(SUM(m.storage_quota), 0) FROM mail_domains d JOIN mail_mailboxes m ON m.domain_id = d.id
     WHERE d.tenant_id = tenant.id AND m.deleted_at IS NULL),
    (SELECT COUNT(*) FROM tenants_member member WHERE member.tenant_id = tenant.id),
    (SELECT COUNT(*) FROM tenants_tenant below WHERE below.parent_id = tenant.id AND below.deleted_at IS NULL),
    0, 0
FROM tenants_tenant tenant
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_plans_and_allowances"),
        ("mailboxes", "0002_daemon_keys"),
    ]

    operations = [migrations.RunSQL(FILL, "DELETE FROM tenants_allowance")]
