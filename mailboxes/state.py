"""A tenant's domains, mailboxes and aliases as one document, and what must change for a wanted one to be so.

Pure but for the reading: `mailboxes.state_operations` carries a plan out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from domains.models import Domain
from domains.names import normalise_domain
from mailboxes.addresses import domain_of, normalise_address, normalise_source, normalise_target
from mailboxes.alias_groups import AliasGroup
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import SWITCHES
from mailhost.errors import Refused
from tenants.models import Tenant

# A document of more is not read at a glance; whoever has more uses the lists.
MAX_OBJECTS = 5000
SETTINGS = ("display_name", "storage_quota", *SWITCHES)
CREATE, CHANGE, DELETE = "create", "change", "delete"
DOMAINS, MAILBOXES, ALIASES = "domains", "mailboxes", "aliases"
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Present:
    """What a tenant has, by name."""

    domains: dict[str, Domain]
    mailboxes: dict[str, Mailbox]
    aliases: dict[str, AliasGroup]


@dataclass(frozen=True)
class Change:
    """One thing to create, change or delete. `fields` are the members with what they should be; `place` is where the
    wanted document says so."""

    action: str
    section: str
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.action} {self.object} {self.shown}"

    @property
    def shown(self) -> str:
        """The name as people write it: a catch-all begins with a star."""
        return f"*{self.name}" if self.name.startswith("@") else self.name

    @property
    def object(self) -> str:
        return {DOMAINS: "domain", MAILBOXES: "mailbox", ALIASES: "alias"}[self.section]


def read(tenant: Tenant) -> Present:
    """Return what a tenant has, without the tenants below it. Raises Refused("too_large")."""
    domains = list(Domain.objects.live().filter(tenant=tenant).select_related("alias_of").order_by("domain_name", "pk"))
    ids = [domain.pk for domain in domains]
    mailboxes = list(
        Mailbox.objects.live().filter(domain__in=ids).select_related("own_row").order_by("email")[: MAX_OBJECTS + 1]
    )
    rows = list(Alias.objects.listed().filter(domain__in=ids)[: MAX_OBJECTS + 1])
    if max(len(mailboxes), len(rows)) > MAX_OBJECTS:
        raise Refused(
            "too_large",
            "",
            _("This account has more than %(max_objects)s mailboxes or aliases: use the lists.")
            % {"max_objects": MAX_OBJECTS},
        )
    groups: dict[str, list[Alias]] = {}
    for row in rows:
        groups.setdefault(row.alias_email, []).append(row)
    return Present(
        {domain.domain_name: domain for domain in domains},
        {mailbox.email: mailbox for mailbox in mailboxes},
        {source: AliasGroup(tuple(found)) for source, found in groups.items()},
    )


def document(present: Present) -> dict[str, list[dict[str, Any]]]:
    """Return the document of what there is; given back as it is, it changes nothing."""
    return {
        DOMAINS: [_domain(domain) for domain in present.domains.values()],
        MAILBOXES: [_mailbox(mailbox) for mailbox in present.mailboxes.values()],
        ALIASES: [_alias(group) for group in present.aliases.values()],
    }


def plan(present: Present, wanted: Mapping[str, Sequence[Item]]) -> list[Change]:
    """Return what makes the present state the wanted one, in the order in which it can be done.

    A section that is not in `wanted` is left alone, and so is a member of an item. Raises Refused for a name that is
    none, one given twice, or an address in no domain of the tenant.
    """
    domains = _named(wanted, DOMAINS, "name", lambda text, place: normalise_domain(text, field=place))
    mailboxes = _named(wanted, MAILBOXES, "email", lambda text, place: normalise_address(text, field=place))
    aliases = _named(wanted, ALIASES, "source", lambda text, place: normalise_source(text, field=place))
    gone = set(present.domains) - set(domains) if domains is not None else set()
    names = set(present.domains) - gone | set(domains or ())
    for named in (mailboxes, aliases):
        _refuse_elsewhere(named or {}, names)
    deleted_aliases = _gone(present.aliases, aliases, gone)
    deleted_mailboxes = _gone(present.mailboxes, mailboxes, gone)
    # Alias domains go before the domain that they follow, and come after it.
    deleted_domains = sorted(gone, key=lambda name: (present.domains[name].alias_of_id is None, name))
    return [
        *(Change(DELETE, ALIASES, name) for name in deleted_aliases),
        *(Change(DELETE, MAILBOXES, name) for name in deleted_mailboxes),
        *(Change(DELETE, DOMAINS, name) for name in deleted_domains),
        *_changes(DOMAINS, domains, {name: _domain(row) for name, row in present.domains.items()}),
        *_changes(MAILBOXES, mailboxes, {name: _mailbox(row) for name, row in present.mailboxes.items()}),
        *_changes(ALIASES, aliases, {name: _alias(row) for name, row in present.aliases.items()}),
    ]


def _changes(section: str, wanted: dict[str, tuple[str, Item]] | None, present: dict[str, Item]) -> Iterable[Change]:
    made, changed = [], []
    for name, (place, item) in (wanted or {}).items():
        given = {member: value for member, value in _comparable(section, item, place).items() if member not in SECRETS}
        if name not in present:
            secrets = {member: item[member] for member in SECRETS if member in item}
            made.append(Change(CREATE, section, name, given, place, secrets))
            continue
        differing = {member: value for member, value in given.items() if value != present[name][member]}
        if differing:
            changed.append(Change(CHANGE, section, name, differing, place))
    # An alias domain can be made only once its main domain is there.
    return [*sorted(made, key=lambda change: change.fields.get("alias_of") is not None), *changed]


SECRETS = ("password", "password_hash")
NAMES = {"name", "email", "source"}


def _comparable(section: str, item: Item, place: str) -> dict[str, Any]:
    """Return an item's members in the form in which they are stored, without its name."""
    found = {member: value for member, value in item.items() if member not in NAMES}
    if section == ALIASES:
        found["targets"] = sorted(
            {normalise_target(one, field=f"{place}.targets.{index}") for index, one in enumerate(item["targets"])}
        )
    if found.get("alias_of"):
        found["alias_of"] = normalise_domain(found["alias_of"], field=f"{place}.alias_of")
    return found


def _named(
    wanted: Mapping[str, Sequence[Item]], section: str, member: str, normalise: Callable[[str, str], str]
) -> dict[str, tuple[str, Item]] | None:
    if section not in wanted:
        return None
    found: dict[str, tuple[str, Item]] = {}
    for index, item in enumerate(wanted[section]):
        place = f"{section}.{index}"
        name = normalise(item[member], f"{place}.{member}")
        if name in found:
            raise Refused("given_twice", f"{place}.{member}", _("%(item)s stands here twice.") % {"item": item[member]})
        found[name] = (place, item)
    return found


def _refuse_elsewhere(named: Mapping[str, tuple[str, Item]], names: set[str]) -> None:
    for address, (place, item) in named.items():
        if domain_of(address) not in names:
            member = "email" if "email" in item else "source"
            message = _("%(name)s is not among the domains. Add the domain first.") % {"name": domain_of(address)}
            raise Refused("unknown_domain", f"{place}.{member}", message)


def _gone(present: Mapping[str, Any], wanted: Mapping[str, Any] | None, domains: set[str]) -> list[str]:
    """Return the names that are no longer wanted, and those in a domain that goes."""
    return [name for name in present if domain_of(name) in domains or (wanted is not None and name not in wanted)]


def _domain(domain: Domain) -> dict[str, Any]:
    main = domain.alias_of.domain_name if domain.alias_of else None
    return {"name": domain.domain_name, "alias_of": main, "enabled": domain.is_enabled}


def _mailbox(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "email": mailbox.email,
        "enabled": mailbox.is_enabled,
        **{name: getattr(mailbox, name) for name in SETTINGS},
        "keeps_copy": mailbox.own_row.is_enabled,
    }


def _alias(group: AliasGroup) -> dict[str, Any]:
    return {"source": group.source, "targets": sorted(group.targets), "enabled": group.is_enabled}
