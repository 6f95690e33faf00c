"""What is said of a suspension, and to whom."""

from tenants.models import Tenant

STOPPED = {
    "sign_in": "nobody of it can sign in",
    "sending": "it sends no mail",
    "receiving": "it takes no mail",
}


def said_reason(tenant: Tenant) -> str:
    """Say why a tenant itself is suspended: "Unpaid. The invoice of May is open."."""
    return " ".join(part for part in (f"{tenant.get_suspension_reason_display()}.", tenant.suspension_note) if part)


def notice(tenant: Tenant) -> str:
    """Say to a tenant what of it is stopped and why, or nothing when all of it works.

    The reason for which somebody above is suspended is not for those below: they hear that it is not their own.
    """
    if not tenant.stopped:
        return ""
    facts = ", ".join(STOPPED[name] for name in tenant.stopped)
    if tenant.is_suspended:
        return f"{tenant.name} is suspended: {facts}. {said_reason(tenant)}"
    return f"{tenant.name} is suspended with the account that provides it: {facts}. Ask your provider."
