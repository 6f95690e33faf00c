"""Which addresses strangers' names may lead us to: the one rule for name servers, policies, webhooks and providers."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Global by the registries' word, but they lead to IPv4 addresses that may be anything: NAT64, 6to4, Teredo.
TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))


def is_public(address: Address, allowed: Iterable[str] = ()) -> bool:
    """Say whether an address is one of the internet's, or in one of the networks that the operator allows."""
    address = plain(address)
    if is_in(address, allowed):
        return True
    is_translated = any(address in network for network in TRANSLATED)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_translated


def is_in(address: Address, networks: Iterable[str]) -> bool:
    return any(plain(address) in ipaddress.ip_network(text) for text in networks)


def plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address only wraps (::ffff:192.0.2.1)."""
    return getattr(address, "ipv4_mapped", None) or address
