"""Which domain a mail program asks about. Whether there is a mailbox of that name is never looked at."""

from domains.models import Domain
from domains.names import normalise_host
from mailhost.errors import Refused
from mailhost.scope import every_tenant

LONGEST_ADDRESS = 320


def hosted(name: str) -> Domain | None:
    """Return the domain that is proven and works here under this name (an A-label), with its main domain."""
    with every_tenant("mail programs ask before anybody has signed in"):
        rows = Domain.objects.live().filter(owned_name=name, is_active=True, tenant__deleted_at=None)
        return rows.select_related("alias_of", "tenant", "mta_sts").first()


def domain_of_address(address: str, host_domain: Domain | None) -> Domain | None:
    """Return the hosted domain that an address lies in. Where the host's name has said a domain, it is that one."""
    local, at, name = address.strip().rpartition("@")
    if not at or not local or len(address) > LONGEST_ADDRESS or not local.isprintable():
        return None
    try:
        name = normalise_host(name.strip())
    except Refused:
        return None
    if host_domain is not None:
        return host_domain if name == host_domain.domain_name else None
    return hosted(name)


def login_of(address: str, domain: Domain) -> str:
    """Return what a program signs in with: the address, in the main domain where this one is an alias of it."""
    local = address.strip().rpartition("@")[0].lower()
    return f"{local}@{main_name(domain)}"


def main_name(domain: Domain) -> str:
    return domain.alias_of.domain_name if domain.alias_of else domain.domain_name
