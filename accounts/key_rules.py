"""What a key may be made with: scopes, domains, networks, an end; and that none is stronger than who makes it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network

from django.utils.translation import gettext as _

from accounts.models import ApiKey
from mailhost.actor import Actor
from mailhost.api.scopes import OF_DOMAINS, READ, WRITE, scopes_among
from mailhost.errors import Refused
from tenants.models import Role, Tenant
from tenants.permissions import permissions

MOST_NETWORKS = 50
MOST_DOMAINS = 100


def scopes_for(tenant_kind: str) -> dict[str, frozenset[str]]:
    """Return every scope that means something to a tenant of this kind, with its acts."""
    return scopes_among(permissions(tenant_kind, Role.OWNER))


def grantable(actor: Actor, tenant_kind: str) -> list[str]:
    """Return the scopes that the actor may give a key: those whose acts are all the actor's own."""
    return [scope for scope, actions in scopes_for(tenant_kind).items() if actions <= actor.permissions]


def check_scopes(actor: Actor, tenant: Tenant, scopes: Sequence[str]) -> list[str]:
    """Return the scopes in the list's order; who may write may read. Raises Refused("invalid_scope")."""
    known = scopes_for(tenant.kind)
    if not scopes:
        raise Refused("invalid_scope", "scopes", _("Say what the key may do: choose at least one scope."))
    if unknown := sorted(set(scopes) - set(known)):
        raise Refused(
            "invalid_scope",
            "scopes",
            _("There is no scope %(names)s for this account.") % {"names": ", ".join(unknown)},
        )
    reading = {scope.replace(f":{WRITE}", f":{READ}") for scope in scopes} & set(known)
    wanted = {*scopes, *reading}
    if stronger := sorted(wanted - set(grantable(actor, tenant.kind))):
        raise Refused(
            "invalid_scope",
            "scopes",
            _("You cannot give away more than you may do yourself: %(names)s.") % {"names": ", ".join(stronger)},
        )
    return [scope for scope in known if scope in wanted]


def check_domain_scopes(scopes: Iterable[str]) -> None:
    """Refuse what reaches beyond any domain to a key that is bound to some."""
    if wide := [scope for scope in scopes if scope.partition(":")[0] not in OF_DOMAINS]:
        raise Refused(
            "invalid_scope", "scopes", _("A key for single domains cannot have %(names)s.") % {"names": ", ".join(wide)}
        )


def normalise_networks(networks: Sequence[str]) -> list[str]:
    """Return networks in CIDR notation, single addresses too. Raises Refused("invalid_network")."""
    if len(networks) > MOST_NETWORKS:
        raise Refused(
            "invalid_network",
            "networks",
            _("A key has at most %(most_networks)s networks.") % {"most_networks": MOST_NETWORKS},
        )
    found = []
    for text in networks:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            raise Refused(
                "invalid_network",
                "networks",
                _("%(text)s is no address or network, such as 192.0.2.0/24.") % {"text": text},
            ) from None
    return sorted(set(found))


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raise Refused("invalid_expiry") for an end that has passed."""
    if expires_at is not None and expires_at <= now:
        raise Refused("invalid_expiry", "expires_at", _("The key would have ended already. Choose a later time."))


def refuse_wider(maker: ApiKey, networks: Sequence[str], expires_at: datetime | None, *, is_test: bool) -> None:
    """A key that makes a key binds it as it is bound itself. Scopes and subtree are the actor's."""
    if maker.is_test and not is_test:
        raise Refused("invalid_mode", "is_test", _("A test key makes only test keys."))
    if maker.networks and not (networks and all(_lies_in(network, maker.networks) for network in networks)):
        raise Refused(
            "invalid_network",
            "networks",
            _("This key may make keys for its own networks: %(names)s.") % {"names": ", ".join(maker.networks)},
        )
    if maker.expires_at is not None and (expires_at is None or expires_at > maker.expires_at):
        raise Refused("invalid_expiry", "expires_at", _("A key cannot outlive the key that makes it."))


def is_from(address: str, networks: Sequence[str]) -> bool:
    """Whether a request from this address may use a key with these networks; without any, from everywhere."""
    if not networks:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ip_network(network) for network in networks)


def _lies_in(network: str, above: Sequence[str]) -> bool:
    inner = ip_network(network)
    outers = [ip_network(one) for one in above]
    return any(outer.version == inner.version and inner.subnet_of(outer) for outer in outers)
