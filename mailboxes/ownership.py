"""Whose an address is: only a verified domain of the actor's gets mailboxes and aliases."""

from collections.abc import Iterable

from django.db.models import Value

from domains.locks import frozen, lock_domains, lock_each
from domains.models import Domain
from domains.names import display_name
from mailboxes.addresses import display_address, domain_of
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.prepared import Prepared
from mailhost.said import gettext
from mailhost.said import gettext as _
from mailhost.scope import every_tenant


def domain_for(actor: Actor, address: str, *, field: str, others: Iterable[int] = ()) -> Domain:
    """Return the actor's verified domain of this address, locked together with `others`.

    Raises Refused: unknown_domain, domain_not_verified, frozen, alias_domain.
    """
    name = domain_of(address)
    claim = _claims([name]).get(name)
    if claim is None:
        raise _unknown(name, field)
    domain, _ = lock_domains(actor, claim, others, is_seen=True)
    refusal = _no_home(domain, field)
    if refusal is not None:
        raise refusal
    return domain


def domain_and_homes(
    actor: Actor, address: str, targets: Iterable[str], *, field: str
) -> tuple[Domain, dict[str, Domain]]:
    """The same for an address from which mail goes on: locked together with whatever is, or may become, this server's
    domain of a target, and with the main domains of alias domains among them. Return also those at the targets."""
    name, names = domain_of(address), {domain_of(target) for target in targets}
    claims = Domain.objects.live().filter(domain_name=name).annotate(is_own=Value(1))
    with every_tenant("a change of an alias waits for changes of the domains it leads to"):
        rows = list(
            claims.union(Domain.objects.live().filter(domain_name__in=names).annotate(is_own=Value(0)), all=True)
        )
    own = [row for row in rows if row.is_own]
    if not own:
        raise _unknown(name, field)
    # As _claims: the proven one before others.
    claim = min(own, key=lambda row: (row.owned_name is None, row.pk))
    others = {pk for row in rows if not row.is_own for pk in (row.pk, row.alias_of_id) if pk}
    domain, locked = lock_domains(actor, claim, others, is_seen=True)
    refusal = _no_home(domain, field)
    if refusal is not None:
        raise refusal
    return domain, {row.owned_name: row for row in locked.values() if row.owned_name in names}


def domains_for(
    actor: Actor, names: Iterable[str], *, field: str, others: Iterable[int] = ()
) -> dict[str, Domain | Refused]:
    """The same for many names at once, all locked: what is found for each, or why it holds no addresses."""
    claims = _claims(names)
    locked = lock_each(actor, claims.values(), others)
    found = {row.domain_name: _no_home(row, field) or row for row in locked.values()}
    return {name: found.get(name) or _unknown(name, field) for name in names}


def homes_of(names: Iterable[str], *, field: str) -> dict[str, Domain | Refused]:
    """The same without locks, for who only wants to know."""
    names = set(names)
    found = {name: _no_home(row, field) or row for name, row in _claims(names).items()}
    return {name: found.get(name) or _unknown(name, field) for name in names}


def _claims(names: Iterable[str]) -> dict[str, Domain]:
    """Return the domain that each name means: among several claims below a reseller, the proven one."""
    return {row.domain_name: row for row in _live_domains(names=tuple(set(names)))}


_live_domains = Prepared(
    lambda names: Domain.objects.live().filter(domain_name__in=names).order_by("owned_name", "-pk")
)


def _unknown(name: str, field: str) -> Refused:
    shown = display_name(name)
    return Refused(
        "unknown_domain",
        field,
        gettext("%(shown)s is not one of your domains. Add the domain first.") % {"shown": shown},
    )


def _no_home(domain: Domain, field: str) -> Refused | None:
    """Return why a domain of the actor's holds no addresses of its own, or None."""
    shown = display_name(domain.domain_name)
    if not domain.has_proof:
        message = _("%(name)s is not verified yet. Publish its ownership record and verify the domain first.")
        return Refused("domain_not_verified", field, message % {"name": shown})
    if domain.is_frozen:
        return frozen(domain, field)
    if domain.alias_of_id is not None:
        message = _("%(name)s is an alias domain: its addresses follow those of %(main)s. Add the address there.")
        return Refused(
            "alias_domain", field, message % {"name": shown, "main": display_name(domain.alias_of.domain_name)}
        )
    return None


def own_addresses(addresses: set[str]) -> set[str]:
    """Return those of the addresses that lie in a proven domain of the present scope."""
    names = set(
        Domain.objects.filter(owned_name__in={domain_of(address) for address in addresses}).values_list(
            "owned_name", flat=True
        )
    )
    return {address for address in addresses if domain_of(address) in names}


def denied(address: str, field: str = "address") -> Refused:
    return Refused(
        "denied",
        field,
        _("%(address)s is on the deny list of its domain's catch-all. Take it off the list first.")
        % {"address": display_address(address)},
    )
