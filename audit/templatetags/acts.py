"""How templates say what an audit event is about."""

from typing import Any

from django import template

register = template.Library()

ACTS = {
    "domains.create": "Domain added",
    "domains.verify": "Domain proven",
    "domains.set_enabled": "Domain switched",
    "domains.delete": "Domain deleted",
    "mailboxes.create": "Mailbox created",
    "mailboxes.update": "Mailbox changed",
    "mailboxes.change_password": "Password changed",
    "mailboxes.suspend": "Mailbox suspended",
    "mailboxes.resume": "Mailbox resumed",
    "mailboxes.delete": "Mailbox deleted",
    "mailboxes.restore": "Mailbox restored",
    "aliases.create": "Alias created",
    "aliases.set_enabled": "Alias switched",
    "aliases.delete": "Alias target removed",
    "records.check": "DNS check asked for",
    "records.refresh": "DNS records renewed",
    "dkim_keys.ensure": "Signing key made",
    "keys.create": "API key created",
    "keys.revoke": "API key revoked",
    "members.add": "Member added",
    "members.remove": "Member removed",
    "members.set_role": "Role changed",
    "members.invite": "Invitation",
    "invitations.accept": "Invitation accepted",
    "people.change_way_in": "Way in changed",
    "mailbox_sessions.end": "Mailbox user signed out",
    "tenants.found": "Installation founded",
    "tenants.set_second_factor": "Second factor asked for",
    "tenants.sign_in_as": "Signed in as somebody",
    "tenants.create": "Customer created",
    "tenants.suspend": "Customer suspended",
    "tenants.resume": "Customer resumed",
    "tenants.update": "Customer changed",
    "tenants.move": "Customer moved",
    "tenants.delete": "Customer deleted",
    "tenants.restore": "Customer restored",
    "tenants.purge": "Customer deleted for good",
    "jobs.retry": "Background job run at once",
    "jobs.discard": "Background job discarded",
    "brands.update": "Brand changed",
    "plans.create": "Plan created",
    "plans.update": "Plan changed",
    "plans.delete": "Plan no longer sold",
    "plans.assign": "Plan chosen",
}


@register.filter
def act(action: str) -> str:
    """Say an act in words: "mailboxes.suspend" → "Mailbox suspended"; an act without words here is named as it is."""
    return ACTS.get(action, action)


@register.filter
def words(name: str) -> str:
    """Say a column in words: "storage_quota" → "Storage quota"."""
    return name.removeprefix("is_").replace("_", " ").capitalize()


@register.filter
def plainly(value: Any) -> str:
    """Say a value as a person would write it."""
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(plainly(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{words(name)}: {plainly(one)}" for name, one in value.items())
    return str(value)
