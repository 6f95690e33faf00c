"""How templates say what an audit event is about."""

from typing import Any

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

register = template.Library()

ACTS = {
    "domains.create": _("Domain added"),
    "domains.verify": _("Domain proven"),
    "domains.set_enabled": _("Domain switched"),
    "domains.delete": _("Domain deleted"),
    "mailboxes.create": _("Mailbox created"),
    "mailboxes.update": _("Mailbox changed"),
    "mailboxes.change_password": _("Password changed"),
    "mailboxes.suspend": _("Mailbox suspended"),
    "mailboxes.resume": _("Mailbox resumed"),
    "mailboxes.delete": _("Mailbox deleted"),
    "mailboxes.restore": _("Mailbox restored"),
    "aliases.create": _("Alias created"),
    "aliases.set_enabled": _("Alias switched"),
    "aliases.delete": _("Alias target removed"),
    "records.check": _("DNS check asked for"),
    "records.refresh": _("DNS records renewed"),
    "dkim_keys.ensure": _("Signing key made"),
    "keys.create": _("API key created"),
    "keys.revoke": _("API key revoked"),
    "members.add": _("Member added"),
    "members.remove": _("Member removed"),
    "members.set_role": _("Role changed"),
    "members.invite": _("Invitation"),
    "invitations.accept": _("Invitation accepted"),
    "people.change_way_in": _("Way in changed"),
    "mailbox_sessions.end": _("Mailbox user signed out"),
    "tenants.found": _("Installation founded"),
    "tenants.set_second_factor": _("Second factor asked for"),
    "tenants.sign_in_as": _("Signed in as somebody"),
    "tenants.create": _("Customer created"),
    "tenants.suspend": _("Customer suspended"),
    "tenants.resume": _("Customer resumed"),
    "tenants.update": _("Customer changed"),
    "tenants.move": _("Customer moved"),
    "tenants.delete": _("Customer deleted"),
    "tenants.restore": _("Customer restored"),
    "tenants.purge": _("Customer deleted for good"),
    "jobs.retry": _("Background job run at once"),
    "jobs.discard": _("Background job discarded"),
    "brands.update": _("Brand changed"),
    "brands.lapse_host": _("Proof of a brand's host name gone"),
    "brands.restore_host": _("Proof of a brand's host name back"),
    "brands.withdraw_host": _("Brand's host name no longer used"),
    "plans.create": _("Plan created"),
    "plans.update": _("Plan changed"),
    "plans.delete": _("Plan no longer sold"),
    "plans.assign": _("Plan chosen"),
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
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(plainly(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{words(name)}: {plainly(one)}" for name, one in value.items())
    return str(value)
