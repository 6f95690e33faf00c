"""What each role may do: ONE table, used by the pages, the API and the commands alike."""

from tenants.models import Kind, Role

# Everybody's, whatever the role: one's own password and second factors.
OWN = frozenset({"people.change_way_in"})
SEE = frozenset(
    {
        "dns.look_up",
        "domains.list",
        "mailboxes.list",
        "app_passwords.list",
        "aliases.list",
        "addresses.explain",
        "state.read",
        "records.list",
        "reports.list",
        "audit.list",
        "tenants.list",
        "usage.list",
        "keys.list",
        "members.list",
        "impersonations.list",
        "operations.list",
    }
)
MAILBOX_CARE = frozenset(
    {
        "mailboxes.change_password",
        "mailboxes.suspend",
        "mailboxes.resume",
        "mailboxes.send_test",
        "app_passwords.create",
        "app_passwords.create_profile_link",
        "app_passwords.update",
        "app_passwords.revoke",
    }
)
MAIL = (
    SEE
    | MAILBOX_CARE
    | frozenset(
        {
            "domains.create",
            "domains.verify",
            "domains.renew_challenge",
            "domains.consent",
            "domains.withdraw_consent",
            "domains.set_enabled",
            "domains.update",
            "domains.delete",
            "domains.restore",
            "mailboxes.create",
            "mailboxes.update",
            "mailboxes.delete",
            "mailboxes.restore",
            "state.apply",
            "aliases.create",
            "aliases.set_enabled",
            "aliases.update",
            "aliases.delete",
            "aliases.deny",
            "aliases.allow",
            "records.check",
            "records.set_mta_sts",
            "records.set_dmarc_policy",
            "records.set_logo",
            "records.remove_logo",
            "reports.mark_source",
            "zones.connect",
            "zones.disconnect",
            "zones.publish",
            "zones.undo",
            "dkim_keys.rotate",
            "dkim_keys.import",
            "dkim_keys.delegate",
            "dkim_keys.abandon",
            "operations.cancel",
        }
    )
)
# Members of a role that may do more than one's own stay out of reach (accounts.operations).
MEMBERS = frozenset({"members.invite", "members.set_role", "members.remove"})
WEBHOOKS = frozenset(
    {
        "webhooks.list",
        "webhooks.create",
        "webhooks.update",
        "webhooks.rotate_secret",
        "webhooks.delete",
        "webhooks.test",
        "webhooks.redeliver",
    }
)
ADMIN = MAIL | MEMBERS | WEBHOOKS | frozenset({"keys.create", "keys.revoke", "keys.restore"})
OWNER = ADMIN | frozenset({"members.add", "tenants.set_second_factor"})

OF_ROLE: dict[str, frozenset[str]] = {
    Role.OWNER: OWNER,
    Role.ADMIN: ADMIN,
    Role.MAIL_MANAGER: MAIL,
    Role.SUPPORT: SEE | MAILBOX_CARE,
    Role.BILLING: frozenset({"tenants.list", "usage.list", "audit.list"}),
    Role.READ_ONLY: SEE,
}
BELOW = frozenset(
    {
        "tenants.create",
        "tenants.update",
        "tenants.suspend",
        "tenants.resume",
        "tenants.move",
        "tenants.delete",
        "tenants.restore",
        "tenants.sign_in_as",
        "plans.list",
        "plans.create",
        "plans.update",
        "plans.delete",
        "plans.restore",
        "plans.assign",
        "brands.update",
    }
)
# The installation itself, whose every part and job the operator looks after.
INSTALLATION = frozenset(
    {
        "signers.list",
        "reports.list_set_aside",
        "style.see",
        "health.show",
        "health.look_at_host",
        "host.show",
        "jobs.list",
        "jobs.retry",
        "jobs.discard",
        "jobs.recall",
    }
)
# What a tenant's kind adds for its owners and admins: a customer has nobody below it.
OF_KIND: dict[str, frozenset[str]] = {
    Kind.OPERATOR: BELOW | INSTALLATION | {"tenants.purge"},
    Kind.RESELLER: BELOW,
    Kind.CUSTOMER: frozenset(),
}
# What nobody may do who has signed in as somebody else: give, change or take away a way in, or go on to a third.
WAYS_IN = (
    OWN
    | MEMBERS
    | frozenset({"keys.create", "keys.revoke", "keys.restore", "mailboxes.change_password"})
    | frozenset({"app_passwords.create", "app_passwords.create_profile_link"})
    | frozenset({"app_passwords.update", "app_passwords.revoke"})
    | frozenset({"members.add", "tenants.set_second_factor", "tenants.sign_in_as"})
)
# Acts of the installation itself: commands and tasks.
SYSTEM = (
    OWN
    | OWNER
    | OF_KIND[Kind.OPERATOR]
    | frozenset(
        {
            "dkim_keys.ensure",
            "dkim_keys.publish",
            "dkim_keys.activate",
            "dkim_keys.withdraw",
            "dkim_keys.retire",
            "records.refresh",
            "domains.lapse_proof",
            "domains.restore_proof",
            "domains.withdraw_proof",
            "domains.settle_claim",
            "brands.lapse_host",
            "brands.restore_host",
            "brands.withdraw_host",
        }
    )
)


def permissions(kind: str, role: str) -> frozenset[str]:
    """Return every act that a member with `role` of a tenant of this `kind` may do."""
    own = OWN | OF_ROLE[role]
    return own | OF_KIND[kind] if role in {Role.OWNER, Role.ADMIN} else own


def given_with(kind: str, role: str) -> frozenset[str]:
    """Return what whoever gives this role away must have: all of it but what is everybody's own, which no key has."""
    return permissions(kind, role) - OWN
