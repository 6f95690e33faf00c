"""What is said of a suspension, and to whom."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.models import Tenant

STOPPED = {
    "sign_in": gettext_lazy("nobody of it can sign in"),
    "sending": gettext_lazy("it sends no mail"),
    "receiving": gettext_lazy("it takes no mail"),
}


def said_reason(tenant: Tenant) -> str:
    """Say why a tenant itself is suspended: "Unpaid. The invoice of May is open."."""
    return " ".join(part for part in (f"{tenant.get_suspension_reason_display()}.", tenant.suspension_note) if part)


def notice(tenant: Tenant) -> str:
    """Say to a tenant what of it is stopped and why, or nothing when all of it works.

    The reason for which somebody above is suspended is not for those below: they hear that it is not their own.
    """
    return _notice(tenant, said_reason(tenant)) if tenant.stopped else ""


def notice_to_mailbox_user(tenant: Tenant) -> str:
    """The same for people who have a mailbox there: the reason in a word, for the note is the tenant's to read."""
    return _notice(tenant, f"{tenant.get_suspension_reason_display()}.") if tenant.stopped else ""


def _notice(tenant: Tenant, reason: str) -> str:
    told = {"name": tenant.name, "facts": ", ".join(str(STOPPED[name]) for name in tenant.stopped)}
    if tenant.is_suspended:
        return _("%(name)s is suspended: %(facts)s. %(reason)s") % {**told, "reason": reason}
    return _("%(name)s is suspended with the account that provides it: %(facts)s. Ask your provider.") % told
