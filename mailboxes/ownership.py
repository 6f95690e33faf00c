"""Whose an address is: only a verified domain of the actor's gets mailboxes and aliases."""

from collections.abc import Iterable

from domains.locks import lock_domains
from domains.models import Domain
from domains.names import display_name
from mailboxes.addresses import domain_of
from mailhost.actor import Actor
from mailhost.errors import Refused


def domain_for(actor: Actor, address: str, *, field: str, others: Iterable[int] = ()) -> Domain:
    """Return the actor's verified domain of this address, locked together with `others`.

    Raises Refused: unknown_domain, domain_not_verified, alias_domain.
    """
    name = domain_of(address)
    shown = display_name(name)
    # Among several claims of one name below a reseller, the proven one is meant.
    claims = list(Domain.objects.live().filter(domain_name=name).order_by("-owned_name", "pk"))
    if not claims:
        raise Refused("unknown_domain", field, f"{shown} is not one of your domains. Add the domain first.")
    domain, _ = lock_domains(actor, claims[0], others)
    if not domain.has_proof:
        raise Refused(
            "domain_not_verified",
            field,
            f"{shown} is not verified yet. Publish its ownership record and verify the domain first.",
        )
    if domain.alias_of_id is not None:
        raise Refused(
            "alias_domain",
            field,
            f"{shown} is an alias domain: its addresses follow those of {display_name(domain.alias_of.domain_name)}. "
            "Add the address there.",
        )
    return domain


def own_addresses(addresses: set[str]) -> set[str]:
    """Return those of the addresses that lie in a proven domain of the present scope."""
    names = set(
        Domain.objects.filter(owned_name__in={domain_of(address) for address in addresses}).values_list(
            "owned_name", flat=True
        )
    )
    return {address for address in addresses if domain_of(address) in names}
