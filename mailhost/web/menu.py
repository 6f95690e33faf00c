"""The main menu and what the palette offers to do: one table each."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailhost.actor import Actor

CUSTOMER = "customer"


@dataclass(frozen=True)
class Entry:
    """One part of the panel. `needs` is the act that one must be allowed to see it ("" for everybody); `group` keeps
    together what is about one thing."""

    page: str
    label: Promise
    icon: str
    needs: str = ""
    hidden_from: str = ""
    group: str = "mail"


MENU = (
    Entry("home", _("Overview"), "home"),
    Entry("domains", _("Domains"), "globe-alt", "domains.list"),
    Entry("mailboxes", _("Mailboxes"), "inbox", "mailboxes.list"),
    Entry("aliases", _("Aliases"), "arrows-right-left", "aliases.list"),
    Entry("imports", _("Import"), "arrow-up-tray", "aliases.create"),
    Entry("explain", _("Explain an address"), "question-mark-circle", "addresses.explain"),
    Entry("dns-tools", _("DNS tools"), "wrench-screwdriver", "dns.look_up"),
    Entry("tenants", _("Customers"), "building-office-2", "tenants.list", hidden_from=CUSTOMER, group="customers"),
    Entry("plans", _("Plans"), "rectangle-stack", "plans.list", group="customers"),
    Entry("branding", _("Branding"), "swatch", "brands.update", group="customers"),
    Entry("usage", _("Usage"), "chart-bar", "usage.list", group="account"),
    Entry("members", _("Members"), "users", "members.list", group="account"),
    Entry("keys", _("API keys"), "key", "keys.list", group="account"),
    Entry("webhooks", _("Webhooks"), "bell-alert", "webhooks.list", group="account"),
    Entry("audit", _("Audit log"), "list-bullet", "audit.list", group="account"),
    Entry("health", _("Health"), "heart", "health.show", group="installation"),
    Entry("signers", _("Signing"), "finger-print", "signers.list", group="installation"),
    Entry(
        "reports-set-aside",
        _("Reports set aside"),
        "inbox-arrow-down",
        "reports.list_set_aside",
        group="installation",
    ),
    Entry("style", _("Style"), "sparkles", "style.see", group="installation"),
)

ACTS = (
    Entry("domain-add", _("Add a domain"), "plus", "domains.create"),
    Entry("mailbox-add", _("Create a mailbox"), "plus", "mailboxes.create"),
    Entry("alias-add", _("Add an alias"), "plus", "aliases.create"),
    Entry("test-message", _("Send a test message"), "paper-airplane", "mailboxes.send_test"),
    Entry("mailbox-bin", _("Restore a mailbox from the bin"), "arrow-uturn-left", "mailboxes.restore"),
    Entry("member-invite", _("Invite somebody"), "plus", "members.invite"),
    Entry("key-add", _("Make an API key"), "plus", "keys.create"),
    Entry("webhook-add", _("Add a webhook"), "plus", "webhooks.create"),
    Entry("customer-add", _("Add a customer"), "plus", "tenants.create"),
    Entry("mfa_index", _("Change your password, passkeys and codes"), "shield-check", "people.change_way_in"),
)


def may_open(entry: Entry, actor: Actor) -> bool:
    return (not entry.needs or actor.may(entry.needs)) and entry.hidden_from != actor.tenant_kind


def entries(actor: Actor, path: str) -> list[dict]:
    """Return what this actor may see, with the part that `path` lies in marked."""
    shown: list[dict] = []
    last = MENU[0].group
    for entry in MENU:
        if not may_open(entry, actor):
            continue
        address = reverse(entry.page)
        current = "page" if path == address else "true" if address != "/" and path.startswith(address) else ""
        apart, last = entry.group != last, entry.group
        shown.append(
            {"address": address, "label": entry.label, "icon": entry.icon, "current": current, "is_apart": apart}
        )
    return shown
