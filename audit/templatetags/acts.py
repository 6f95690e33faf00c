"""How templates say what an audit event is about."""

import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

register = template.Library()
# As the record keeps it.
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\+00:00")

ACTS = {
    "domains.create": _("Domain added"),
    "domains.verify": _("Domain proven"),
    "domains.set_enabled": _("Domain switched"),
    "domains.update": _("Settings of a domain changed"),
    "domains.delete": _("Domain removed"),
    "domains.restore": _("Domain restored"),
    "mailboxes.create": _("Mailbox created"),
    "mailboxes.update": _("Mailbox changed"),
    "mailboxes.change_password": _("Password changed"),
    "mailboxes.suspend": _("Mailbox suspended"),
    "mailboxes.resume": _("Mailbox resumed"),
    "mailboxes.delete": _("Mailbox deleted"),
    "mailboxes.restore": _("Mailbox restored"),
    "mailboxes.send_test": _("Test message sent"),
    "aliases.create": _("Alias created"),
    "aliases.set_enabled": _("Alias switched"),
    "aliases.delete": _("Alias target removed"),
    "aliases.deny": _("Address kept from the catch-all"),
    "aliases.allow": _("Address given back to the catch-all"),
    "records.check": _("DNS check asked for"),
    "records.refresh": _("DNS records renewed"),
    "dkim_keys.ensure": _("Signing key made"),
    "keys.create": _("API key created"),
    "keys.revoke": _("API key revoked"),
    "keys.restore": _("API key opens again"),
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
    "jobs.recall": _("Background job no longer discarded"),
    "health.look_at_host": _("Look at the mail host's records asked for"),
    "brands.update": _("Brand changed"),
    "brands.lapse_host": _("Proof of a brand's host name gone"),
    "brands.restore_host": _("Proof of a brand's host name back"),
    "brands.withdraw_host": _("Brand's host name no longer used"),
    "plans.create": _("Plan created"),
    "plans.update": _("Plan changed"),
    "plans.delete": _("Plan no longer sold"),
    "plans.restore": _("Plan sold again"),
    "plans.assign": _("Plan chosen"),
    "aliases.update": _("Alias changed"),
    "app_passwords.create": _("App password created"),
    "app_passwords.create_profile_link": _("Link to set up a device made"),
    "app_passwords.revoke": _("App password revoked"),
    "app_passwords.update": _("App password changed"),
    "dkim_keys.abandon": _("Waiting signing key given up"),
    "dkim_keys.activate": _("Signing key signs"),
    "dkim_keys.delegate": _("Signing keys put behind aliases"),
    "dkim_keys.import": _("Signing key imported"),
    "dkim_keys.publish": _("Signing key found in DNS"),
    "dkim_keys.retire": _("Signing key destroyed"),
    "dkim_keys.rotate": _("Change of the signing key begun"),
    "dkim_keys.withdraw": _("Signing key gone from DNS"),
    "domains.consent": _("Consent to another account's domain given"),
    "domains.lapse_proof": _("Proof of a domain gone"),
    "domains.renew_challenge": _("New ownership record"),
    "domains.restore_proof": _("Proof of a domain back"),
    "domains.settle_claim": _("Claim to a domain settled"),
    "domains.withdraw_consent": _("Consent to another account's domain taken back"),
    "domains.withdraw_proof": _("Domain lost for want of proof"),
    "operations.cancel": _("Long work stopped"),
    "records.set_dmarc_policy": _("DMARC policy chosen"),
    "records.set_logo": _("Logo chosen"),
    "records.remove_logo": _("Logo taken back"),
    "records.set_mta_sts": _("MTA-STS policy chosen"),
    "reports.mark_source": _("Source of mail marked"),
    "state.apply": _("Account brought in line with a document"),
    "webhooks.create": _("Webhook endpoint created"),
    "webhooks.delete": _("Webhook endpoint deleted"),
    "webhooks.redeliver": _("Webhook sent again"),
    "webhooks.rotate_secret": _("Webhook secret changed"),
    "webhooks.test": _("Webhook tested"),
    "webhooks.update": _("Webhook endpoint changed"),
    "zones.connect": _("Name server connected"),
    "zones.disconnect": _("Name server's key forgotten"),
    "zones.publish": _("Records published"),
    "zones.undo": _("Publishing taken back"),
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
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return gettext("%(moment)s UTC") % {
            "moment": date_format(datetime.fromisoformat(value).astimezone(UTC), "j F Y, H:i:s")
        }
    return str(value)
