"""The cast of the tests: the operator, the reseller Rita, her customers Acme and Bolt, and what they own."""

from dataclasses import dataclass

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from dns.zone_access_operations import connect_zone
from domains.models import Domain
from domains.operations import create_domain
from mailboxes.alias_operations import create_alias
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox
from mailhost.actor import Actor
from mailhost.effective import recalculate
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Kind, Role, Tenant
from tenants.operations import create_tenant, found_installation
from tenants.permissions import permissions

PASSWORD = "Grün-Kaffee-17-Lampe"
# Of "correct horse battery staple": tests that need a mailbox do not wait for Argon2.
PASSWORD_HASH = (
    "{SHA512-CRYPT}$6$mailhosttests$"
    "OK8fSCni2aU4McuPLFx9GMEh/KC4XCSkNd2nY35WvwIy5wVGB23sG4RZ2NnuR/T2aUTWXQRuqs/fsw3xTUaMK1"
)


@dataclass(frozen=True)
class World:
    """Four tenants, and for each the actor who owns it."""

    operator: Tenant
    rita: Tenant
    acme: Tenant
    bolt: Tenant

    def actor(self, tenant: Tenant, role: str = Role.OWNER) -> Actor:
        return actor_of(tenant, role)

    @property
    def as_operator(self) -> Actor:
        return actor_of(self.operator)

    @property
    def as_rita(self) -> Actor:
        return actor_of(self.rita)

    @property
    def as_acme(self) -> Actor:
        return actor_of(self.acme)

    @property
    def as_bolt(self) -> Actor:
        return actor_of(self.bolt)


def make_world() -> World:
    """Create the four tenants; under an operator that exists, for a database that lives on."""
    with every_tenant("the tests' cast"):
        operator = Tenant.objects.filter(parent=None).first() or found_installation("Mailhost")
    root = system_actor(operator, "tests")
    rita = create_tenant(root, parent=operator, kind=Kind.RESELLER, name="Rita")
    acme = create_tenant(root, parent=rita, kind=Kind.CUSTOMER, name="Acme")
    bolt = create_tenant(root, parent=rita, kind=Kind.CUSTOMER, name="Bolt")
    return World(operator, rita, acme, bolt)


def actor_of(tenant: Tenant, role: str = Role.OWNER) -> Actor:
    """Return a person with this role at the tenant."""
    return Actor(
        tenant_id=tenant.pk,
        tenant_path=tenant.path,
        permissions=permissions(tenant.kind, role),
        role=role,
        label=f"{role}@{tenant.name.lower()}.example",
    )


def verified_domain(actor: Actor, name: str, alias_of: Domain | None = None) -> Domain:
    """Create a domain of the actor's as if its ownership record had been found."""
    return prove(create_domain(actor, name=name, alias_of=alias_of))


def prove(domain: Domain) -> Domain:
    """Do what follows from proof, without the DNS."""
    from mailboxes.contents import follow_main_domain

    with every_tenant("the tests' cast"):
        Domain.objects.filter(pk=domain.pk).update(verified_at=timezone.now())
        domain.refresh_from_db()
        if domain.alias_of_id:
            follow_main_domain(domain)
        recalculate(domain_id=domain.pk)
        domain.refresh_from_db()
    return domain


def a_mailbox(actor: Actor, address: str, storage_quota_mb: int = 100) -> Mailbox:
    """Create a mailbox whose password is "correct horse battery staple"."""
    return create_mailbox(actor, address=address, password_hash=PASSWORD_HASH, storage_quota_mb=storage_quota_mb)


def an_alias(actor: Actor, source: str, *targets: str) -> list[Alias]:
    return create_alias(actor, source=source, targets=list(targets))


def routes(address: str) -> list[str]:
    """Return what Postfix's alias map answers for exactly this key."""
    with every_tenant("Postfix asks for everybody"):
        rows = Alias.objects.filter(alias_email=address, is_routed=True).order_by("destination_email")
        return list(rows.values_list("destination_email", flat=True))


def senders(address: str) -> list[str]:
    """Return the logins that may send as this address."""
    with every_tenant("Postfix asks for everybody"):
        rows = Alias.objects.filter(alias_email=address, may_send_as=True).order_by("destination_email")
        return list(rows.values_list("destination_email", flat=True))


def fresh(row):
    """Return the row as it stands in the database now."""
    with every_tenant("a test looks at its rows"):
        return type(row).objects.get(pk=row.pk)


@pytest.fixture
def world(db) -> World:
    return make_world()


@pytest.fixture
def in_acme(world):
    """The scope that a request of Acme's has."""
    with tenant_scope(world.acme.path):
        yield world


def connect_to_server(actor: Actor, domain: Domain, dns: dict, **changes) -> None:
    """Connect a domain to the stack's name server, as `stack.json` has it (`dns`), by its zone example."""
    key = dns["update_key"]
    given = {
        "server": "127.0.0.1",
        "port": dns["port"],
        "zone": "example.",
        "key_name": key["name"],
        "algorithm": key["algorithm"],
        "secret": key["secret"],
    }
    connect_zone(actor, domain=domain, **given | changes)
