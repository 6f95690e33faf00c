"""The main menu: one table."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailhost.actor import Actor

CUSTOMER = "customer"


@dataclass(frozen=True)
class Entry:
    """One part of the panel. `needs` is the act that one must be allowed to see it ("" for everybody)."""

    page: str
    label: Promise
    icon: str
    needs: str = ""
    hidden_from: str = ""


MENU = (
    Entry("home", _("Overview"), "home"),
    Entry("domains", _("Domains"), "globe-alt", "domains.list"),
    Entry("mailboxes", _("Mailboxes"), "inbox", "mailboxes.list"),
    Entry("aliases", _("Aliases"), "arrows-right-left", "aliases.list"),
    Entry("imports", _("Import"), "arrow-up-tray", "aliases.create"),
    Entry("explain", _("Explain an address"), "question-mark-circle", "addresses.explain"),
    Entry("dns-tools", _("DNS tools"), "wrench-screwdriver", "dns.look_up"),
    Entry("tenants", _("Customers"), "building-office-2", "tenants.list", hidden_from=CUSTOMER),
    Entry("plans", _("Plans"), "rectangle-stack", "plans.list"),
    Entry("branding", _("Branding"), "swatch", "brands.update"),
    Entry("usage", _("Usage"), "chart-bar", "usage.list"),
    Entry("health", _("Health"), "heart", "health.show"),
    Entry("signers", _("Signing"), "finger-print", "signers.list"),
    Entry("members", _("Members"), "users", "members.list"),
    Entry("webhooks", _("Webhooks"), "bell-alert", "webhooks.list"),
    Entry("keys", _("API keys"), "key", "keys.list"),
    Entry("style", _("Style"), "swatch", "style.see"),
    Entry("audit", _("Audit log"), "list-bullet", "audit.list"),
)


def entries(actor: Actor, path: str) -> list[dict]:
    """Return what this actor may see, with the part that `path` lies in marked."""
    shown = []
    for entry in MENU:
        if (entry.needs and not actor.may(entry.needs)) or entry.hidden_from == actor.tenant_kind:
            continue
        address = reverse(entry.page)
        current = "page" if path == address else "true" if address != "/" and path.startswith(address) else ""
        shown.append({"address": address, "label": entry.label, "icon": entry.icon, "current": current})
    return shown
