"""What each role may do: ONE table, used by the pages, the API and the commands alike."""

from tenants.models import Kind, Role

SEE = frozenset(
    {
        "domains.list",
        "mailboxes.list",
        "app_passwords.list",
        "aliases.list",
        "records.list",
        "audit.list",
        "tenants.list",
        "keys.list",
    }
)
MAILBOX_CARE = frozenset(
    {
        "mailboxes.change_password",
        "mailboxes.suspend",
        "mailboxes.resume",
        "app_passwords.create",
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
            "domains.set_enabled",
            "domains.delete",
            "mailboxes.create",
            "mailboxes.update",
            "mailboxes.delete",
            "mailboxes.restore",
            "aliases.create",
            "aliases.set_enabled",
            "aliases.update",
            "aliases.delete",
            "records.check",
        }
    )
)
ADMIN = MAIL | frozenset({"keys.create", "keys.revoke"})
OWNER = ADMIN | frozenset({"members.add", "members.remove"})

OF_ROLE: dict[str, frozenset[str]] = {
    Role.OWNER: OWNER,
    Role.ADMIN: ADMIN,
    Role.MAIL_MANAGER: MAIL,
    Role.SUPPORT: SEE | MAILBOX_CARE,
    Role.BILLING: frozenset({"tenants.list", "audit.list"}),
    Role.READ_ONLY: SEE,
}
# What a tenant's kind adds for its owners and admins: a customer has nobody below it.
OF_KIND: dict[str, frozenset[str]] = {
    Kind.OPERATOR: frozenset({"signers.list", "tenants.create", "tenants.suspend", "tenants.resume"}),
    Kind.RESELLER: frozenset({"tenants.create", "tenants.suspend", "tenants.resume"}),
    Kind.CUSTOMER: frozenset(),
}
# Acts of the installation itself: commands and tasks.
SYSTEM = OWNER | OF_KIND[Kind.OPERATOR] | frozenset({"dkim_keys.ensure", "records.refresh"})


def permissions(kind: str, role: str) -> frozenset[str]:
    """Return every act that a member with `role` of a tenant of this `kind` may do."""
    own = OF_ROLE[role]
    return own | OF_KIND[kind] if role in {Role.OWNER, Role.ADMIN} else own
