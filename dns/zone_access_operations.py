"""How a domain's zone is published into: connected, forgotten, and the way into it for one act."""

from collections.abc import Callable
from typing import Any, TypeVar

from dns.lookup import look_up, may_be_asked
from dns.models import ZoneAccess
from dns.nsupdate import ALGORITHMS, NameServer
from dns.provider_zone import ProviderZone, is_installed
from dns.providers import PROVIDERS
from dns.reading import is_address
from dns.remembered import refuse_too_many_acts
from dns.zone_writing import NotPublished, ZoneWriter
from domains.locks import lock_domain
from domains.models import Domain
from domains.names import is_below, normalise_host
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _
from mailhost.vault import seal, unseal
from mailhost.waiting import waiting

T = TypeVar("T")

MOST_SECRET = 500


@operation("zones.connect", secrets=("secret",))
def connect_zone(
    actor: Actor,
    *,
    domain: Domain,
    secret: str,
    provider: str = "",
    server: str = "",
    port: int = 53,
    zone: str = "",
    key_name: str = "",
    algorithm: str = "hmac-sha256",
    automatic: bool = True,
) -> ZoneAccess:
    """Keep what opens the domain's zone, after trying it: a TSIG key for dynamic updates (RFC 2136) at `server`, or an
    API token of `provider`.

    `automatic`: later changes, such as the next signing key, are published without anybody's doing.
    Raises Refused: not_found, invalid_provider, invalid_server, invalid_port, invalid_zone, invalid_key_name,
    invalid_algorithm, invalid_secret, too_many_lookups, not_published.
    """
    # Any suffix of the name may be a zone, also one of a single label.
    zone = zone.strip().rstrip(".").lower() or domain.domain_name
    if domain.domain_name != zone and not is_below(domain.domain_name, zone):
        raise Refused(
            "invalid_zone",
            "zone",
            _("%(domain_name)s does not lie in %(zone)s.") % {"domain_name": domain.domain_name, "zone": zone},
        )
    if provider:
        _check_provider(provider, secret)
        access = {"provider": provider, "server": "", "port": 53, "key_name": "", "algorithm": ""}
    else:
        access = _checked_server(server, port, key_name, algorithm, secret)
    refuse_too_many_acts(actor, domain)
    writer = _writer(zone=zone, secret=secret, **access)
    asked(writer.check)
    domain = lock_domain(actor, domain)
    # The domain is locked, so nobody else writes this row; update_or_create() would lock the tenant's too.
    row = ZoneAccess.objects.filter(domain=domain).first() or ZoneAccess(domain=domain)
    for name, value in access.items():
        setattr(row, name, value)
    row.zone, row.sealed_secret, row.automatic = zone, seal(secret), automatic
    row.failing_since = row.failure_told_at = None
    row.save()
    return row


@operation("zones.disconnect")
def disconnect_zone(actor: Actor, *, domain: Domain) -> Domain:
    """Forget the key; what was published stays. Raises Refused: not_found, not_connected."""
    domain = lock_domain(actor, domain)
    if not ZoneAccess.objects.filter(domain=domain).delete()[0]:
        raise Refused("not_connected", "", _("No name server is connected to this domain."))
    return domain


def zone_of(domain: Domain) -> ZoneWriter:
    """Return the way into the domain's zone, for one act. Raises Refused: not_connected, invalid_server."""
    access = ZoneAccess.objects.filter(domain=domain).first()
    if access is None:
        raise Refused("not_connected", "", _("No name server is connected to this domain."))
    return _writer(
        provider=access.provider,
        zone=access.zone,
        secret=unseal(access.sealed_secret),
        server=access.server,
        port=access.port,
        key_name=access.key_name,
        algorithm=access.algorithm,
    )


def _writer(
    *, provider: str, zone: str, secret: str, server: str, port: int, key_name: str, algorithm: str
) -> ZoneWriter:
    if provider:
        return ProviderZone(PROVIDERS[provider], zone, secret)
    return NameServer(_address_of(server), port, zone, key_name, algorithm, secret)


def asked(ask: Callable[[], T]) -> T:
    """Ask the keeper of a zone, in the room for what waits. Raises Refused("not_published", …)."""
    try:
        with waiting():
            return ask()
    except NotPublished as error:
        raise Refused("not_published", "", str(error)) from None


def _check_provider(provider: str, token: str) -> None:
    if provider not in PROVIDERS or not is_installed():
        raise Refused("invalid_provider", "provider", _("Records cannot be published there from here."))
    if not (token.isascii() and token.isprintable() and " " not in token and 0 < len(token) <= MOST_SECRET):
        raise Refused("invalid_secret", "secret", _("This is not an API token. Copy it once more."))


def _checked_server(server: str, port: int, key_name: str, algorithm: str, secret: str) -> dict[str, Any]:
    if not 0 < port < 65536:
        raise Refused("invalid_port", "port", _("A port is a number from 1 to 65535."))
    if algorithm not in ALGORITHMS:
        raise Refused(
            "invalid_algorithm", "algorithm", _("Choose one of %(names)s.") % {"names": ", ".join(ALGORITHMS)}
        )
    if not (secret.isascii() and 0 < len(secret) <= MOST_SECRET):
        raise Refused("invalid_secret", "secret", _("The secret is the base64 text that your name server shows."))
    host = server.strip().rstrip(".")
    return {"provider": "", "server": host, "port": port, "key_name": _key_name(key_name), "algorithm": algorithm}


def _address_of(server: str) -> str:
    """Return an address of the server that we may ask. Raises Refused("invalid_server", …)."""
    host = server.strip()
    if is_address(host):
        found = [host]
    else:
        name = normalise_host(host, field="server")
        with waiting():
            found = [value for kind in ("A", "AAAA") for value in look_up(name, kind).values if is_address(value)]
    for address in found:
        if may_be_asked(address):
            return address
    raise Refused("invalid_server", "server", _("This is not the name or address of a public name server."))


def _key_name(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    if not name or len(name) > 253 or not all(sign.isascii() and (sign.isalnum() or sign in "-_.") for sign in name):
        raise Refused("invalid_key_name", "key_name", _("The key's name has letters, digits, hyphens and dots."))
    return name
