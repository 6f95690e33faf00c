"""What a key may do, in the words of pages: "Domains, Mailboxes", not "domains:read, mailboxes:read"."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailhost.api.scopes import READ, WRITE

# Each resource of mailhost.api.scopes by the name that its pages bear.
NAMES = {
    "domains": gettext_lazy("Domains"),
    "records": gettext_lazy("DNS records"),
    "dkim_keys": gettext_lazy("Signing keys"),
    "zones": gettext_lazy("Publishing"),
    "reports": gettext_lazy("Reports"),
    "dns": gettext_lazy("DNS tools"),
    "mailboxes": gettext_lazy("Mailboxes"),
    "app_passwords": gettext_lazy("App passwords"),
    "aliases": gettext_lazy("Aliases"),
    "addresses": gettext_lazy("Explain an address"),
    "state": gettext_lazy("Account as a document"),
    "webhooks": gettext_lazy("Webhooks"),
    "operations": gettext_lazy("Long work"),
    "tenants": gettext_lazy("Customers"),
    "plans": gettext_lazy("Plans"),
    "brands": gettext_lazy("Branding"),
    "members": gettext_lazy("Members"),
    "impersonations": gettext_lazy("Signed in as others"),
    "keys": gettext_lazy("API keys"),
    "audit": gettext_lazy("Audit log"),
    "usage": gettext_lazy("Usage"),
    "signers": gettext_lazy("Signing"),
    "host": gettext_lazy("The mail host in DNS"),
}


def in_words(scopes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return what these scopes change, and what they only read: each with the names of its resources."""
    held = [scope.split(":") for scope in scopes]
    changed = [resource for resource, access in held if access == WRITE]
    only_read = [resource for resource, access in held if access == READ and resource not in changed]
    parts = [(_("Reads and changes"), changed), (_("Reads"), only_read)]
    return [(what, [str(NAMES[resource]) for resource in found]) for what, found in parts if found]
