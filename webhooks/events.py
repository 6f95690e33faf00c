"""Which act is told as what. What stands not here is told to nobody."""

# Which of them an act on an alias is, the alias says that is left (webhooks/aliases.py).
ALIAS_CREATED, ALIAS_UPDATED, ALIAS_DELETED = "alias.created", "alias.updated", "alias.deleted"
EVENTS = {
    "tenants.create": "tenant.created",
    "tenants.update": "tenant.updated",
    "plans.assign": "tenant.plan_changed",
    "tenants.move": "tenant.moved",
    "tenants.delete": "tenant.deleted",
    "tenants.restore": "tenant.restored",
    "tenants.suspend": "tenant.suspended",
    "tenants.resume": "tenant.resumed",
    "domains.create": "domain.created",
    "domains.verify": "domain.verified",
    "domains.set_enabled": "domain.updated",
    "domains.update": "domain.updated",
    "domains.delete": "domain.deleted",
    "domains.restore": "domain.restored",
    "mailboxes.create": "mailbox.created",
    "mailboxes.update": "mailbox.updated",
    "mailboxes.change_password": "mailbox.password_changed",
    "mailboxes.suspend": "mailbox.suspended",
    "mailboxes.resume": "mailbox.resumed",
    "mailboxes.delete": "mailbox.deleted",
    "mailboxes.restore": "mailbox.restored",
    "app_passwords.create": "app_password.created",
    "app_passwords.update": "app_password.updated",
    "app_passwords.revoke": "app_password.revoked",
    "aliases.create": ALIAS_CREATED,
    "aliases.set_enabled": ALIAS_UPDATED,
    "aliases.update": ALIAS_UPDATED,
    "aliases.delete": ALIAS_DELETED,
    "keys.create": "api_key.created",
    "keys.revoke": "api_key.revoked",
    "keys.restore": "api_key.restored",
}
# What befalls a domain without anybody's act: its notices (domains/notices.py). That it is verified is an act.
NOTICES = (
    "domain.claim_contested",
    "domain.claim_ended",
    "domain.contest_ended",
    "domain.contested",
    "domain.failing",
    "domain.lost",
    "domain.proof_lapsed",
    "domain.proof_restored",
    "domain.publishing_failing",
    "domain.recovered",
    "domain.server_lame",
    "domain.server_recovered",
    "domain.taken_over",
)
TEST = "webhook.test"
TYPES = tuple(sorted({*EVENTS.values(), *NOTICES}))
# The prefix of an object's id in the API, by model.
PREFIXES = {"tenant": "ten", "domain": "dom", "mailbox": "mbx", "apppassword": "apw", "alias": "als", "apikey": "key"}
OBJECTS = {"apppassword": "app_password", "apikey": "api_key"}
