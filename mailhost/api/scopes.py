"""What an API key may be given: one list. A scope covers every act of its resource that reads, or every one that
changes; which acts there are stands in the permission table.
"""

from collections.abc import Iterable

from django.utils.translation import gettext_noop as _

# resource: what the scopes open, as the OpenAPI document says it and the picker in the reader's language.
RESOURCES = {
    "domains": _("Domains, their proof and their switch"),
    "records": _("DNS records and their checks"),
    "dkim_keys": _("Keys that sign mail"),
    "zones": _("Publishing into a domain's zone"),
    "reports": _("DMARC and TLS reports"),
    "dns": _("Looking up any domain's records"),
    "mailboxes": _("Mailboxes, their passwords and switches"),
    "app_passwords": _("Passwords of single programs"),
    "aliases": _("Aliases and forwards"),
    "addresses": _("Why mail goes where it goes"),
    "state": _("A whole account as one document"),
    "webhooks": _("Endpoints that are told of changes"),
    "operations": _("Long work and how far it is"),
    "tenants": _("Customers and their suspension"),
    "plans": _("Plans and what they allow"),
    "brands": _("The name and colours that customers see"),
    "members": _("People and their roles"),
    "impersonations": _("Who has signed in as a member"),
    "keys": _("API keys"),
    "audit": _("The record of changes"),
    "usage": _("What is used"),
    "signers": _("The servers that sign mail"),
    "host": _("The mail host's own DNS records"),
}
READ, WRITE = "read", "write"
SCOPES = [f"{resource}:{access}" for resource in RESOURCES for access in (READ, WRITE)]
READING_VERBS = frozenset({"list", "list_set_aside", "show", "preview", "read", "explain", "look_up"})
# Within one domain each: what a key that is bound to domains may have.
OF_DOMAINS = frozenset(
    {"domains", "records", "dkim_keys", "zones", "reports", "dns", "mailboxes", "app_passwords", "aliases"}
)
# A key that is bound to some domains makes no further ones.
BEYOND_DOMAINS = frozenset({"domains.create"})


# What no program may do: people's own ways in, acting as somebody else, and looking after the installation.
OF_PEOPLE = frozenset(
    {
        "people.change_way_in",
        "tenants.sign_in_as",
        "tenants.set_second_factor",
        "members.add",
        "style.see",
        "health.show",
        "health.look_at_host",
        "jobs.list",
        "jobs.retry",
        "jobs.discard",
        "jobs.recall",
    }
)


def scope_of(action: str) -> str:
    """Return the scope that an act needs: "mailboxes.delete" → "mailboxes:write"."""
    resource, _, verb = action.partition(".")
    return f"{resource}:{READ if verb in READING_VERBS else WRITE}"


def scopes_among(actions: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the scopes of these acts in the order of the list, each with its acts."""
    found: dict[str, set[str]] = {}
    for action in set(actions) - OF_PEOPLE:
        found.setdefault(scope_of(action), set()).add(action)
    return {scope: frozenset(found[scope]) for scope in SCOPES if scope in found}


def actions_of(scopes: Iterable[str], actions: frozenset[str]) -> frozenset[str]:
    """Return those of the acts that the scopes cover."""
    wanted = set(scopes)
    return frozenset(action for action in actions - OF_PEOPLE if scope_of(action) in wanted)
