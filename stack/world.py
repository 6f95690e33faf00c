"""The demo's small world: an operator, a reseller, two customers, filled through the operations like everybody's.

Safe to run again: what exists stays as it is. Passwords and API keys are kept in sign-ins.json, because the database
knows their digests only.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from accounts.actors import system_actor
from accounts.key_rules import scopes_for
from accounts.models import User
from accounts.operations import create_api_key, create_user
from dns.models import DnsRecord, Purpose
from domains.models import Domain
from domains.operations import create_domain, verify_domain
from mailboxes.alias_operations import create_alias
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox
from mailhost.actor import Actor
from mailhost.scope import every_tenant, tenant_scope
from stack.layout import REPORTS_ADDRESS, REPORTS_DOMAIN, write_private
from tenants.models import Kind, Role, Tenant
from tenants.operations import create_tenant, found_installation

LABEL = "the demo"
OPERATOR, OPERATOR_LOGIN = "Mailhost", "operator@mailhost.example"
RESELLER, RESELLER_LOGIN = "Rita Hosting", "rita@rita-hosting.example"
QUOTA_MB = 1024


@dataclass(frozen=True)
class Customer:
    """A tenant with domains, and what is in them; the operator too is its own customer."""

    name: str
    login: str
    domains: tuple[str, ...]
    # address: the name in front of it
    mailboxes: dict[str, str]
    # source: targets; one of them lives elsewhere
    aliases: dict[str, tuple[str, ...]]


ACME = Customer(
    name="Acme",
    login="owner@acme.example",
    domains=("acme.example", "acme-shop.example"),
    mailboxes={
        "anna@acme.example": "Anna Alber",
        "carl@acme.example": "Carl Conrad",
        "orders@acme-shop.example": "Acme Shop",
    },
    aliases={
        # Notices about the domains go to its owner.
        "owner@acme.example": ("anna@acme.example",),
        "info@acme.example": ("anna@acme.example", "carl@acme.example", "acme-office@elsewhere.example"),
        "sales@acme-shop.example": ("orders@acme-shop.example", "anna@acme.example"),
    },
)
BOLT = Customer(
    name="Bolt",
    login="owner@bolt.example",
    domains=("bolt.example",),
    mailboxes={"ben@bolt.example": "Ben Bolt", "berta@bolt.example": "Berta Brand"},
    aliases={"*@bolt.example": ("berta@bolt.example",), "service@bolt.example": ("ben@bolt.example",)},
)
CUSTOMERS = (ACME, BOLT)
# The system's own: receivers' reports about all domains come to it.
HOUSE = Customer(
    name=OPERATOR,
    login=OPERATOR_LOGIN,
    domains=(REPORTS_DOMAIN,),
    mailboxes={REPORTS_ADDRESS: "DMARC and TLS reports"},
    aliases={},
)
OWNERS = (HOUSE, *CUSTOMERS)


class SignIns:
    """Passwords and API keys by sign-in or address, kept in a file of root's."""

    def __init__(self, path: Path):
        self.path = path
        self.known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}

    def password(self, email: str) -> str:
        """Return the password of this sign-in, made at the first call."""
        if "password" not in self.known.get(email, {}):
            self.keep(email, "password", secrets.token_urlsafe(15))
        return self.known[email]["password"]

    def keep(self, email: str, what: str, value: str) -> None:
        """Remember at once: what is not in the file when the demo is interrupted is lost."""
        self.known.setdefault(email, {})[what] = value
        write_private(self.path, json.dumps(self.known, indent=1))


class World:
    """Fills the world in two parts; between them the caller publishes DNS records."""

    def __init__(self, sign_ins: SignIns):
        self.sign_ins = sign_ins
        self.actors: dict[str, Actor] = {}

    def fill_accounts(self) -> None:
        """Make the tenants, their people with an API key each, and the customers' claims to their domains."""
        with every_tenant("the demo looks for its operator"):
            root = Tenant.objects.filter(parent=None).first()
        operator = self._account(root or found_installation(OPERATOR), OPERATOR_LOGIN)
        self._claim(HOUSE, operator)
        reseller = self._account(self._tenant(operator, Kind.RESELLER, RESELLER), RESELLER_LOGIN)
        for customer in CUSTOMERS:
            actor = self._account(self._tenant(reseller, Kind.CUSTOMER, customer.name), customer.login)
            self._claim(customer, actor)

    def move_in(self) -> tuple[int, int]:
        """Prove every domain that is not proven yet, and make its mailboxes and aliases: of each customer all at once,
        because the notice that a domain is proven goes to an address in it. Returns how many mailboxes and alias rows
        there are.
        """
        for customer in OWNERS:
            with transaction.atomic():
                self._verify(customer)
                self._fill(customer)
        with every_tenant("the demo counts what it made"):
            own = {"domain__in": self._domain_ids()}
            return Mailbox.objects.live().filter(**own).count(), Alias.objects.written().filter(**own).count()

    def _verify(self, customer: Customer) -> None:
        for owner, actor, domain in self.domains():
            if owner is customer and not domain.has_proof:
                verify_domain(actor, domain=domain)

    def _fill(self, customer: Customer) -> None:
        actor = self.actors[customer.name]
        with tenant_scope(actor.tenant_path):
            boxes = set(Mailbox.objects.live().values_list("email", flat=True))
            sources = set(Alias.objects.written().values_list("alias_email", flat=True))
        for address, name in customer.mailboxes.items():
            password = self.sign_ins.password(address)
            if address not in boxes:
                create_mailbox(actor, address=address, password=password, storage_quota_mb=QUOTA_MB, display_name=name)
        for source, targets in customer.aliases.items():
            if source.removeprefix("*") not in sources:
                create_alias(actor, source=source, targets=targets)

    def domains(self) -> Iterator[tuple[Customer, Actor, Domain]]:
        """Yield each of the world's domains with its customer and that tenant's actor."""
        for customer in OWNERS:
            actor = self.actors[customer.name]
            for name in customer.domains:
                with tenant_scope(actor.tenant_path):
                    domain = Domain.objects.live().get(domain_name=name, tenant=actor.tenant_id)
                yield customer, actor, domain

    def records(self, *purposes: Purpose) -> list[DnsRecord]:
        """Return what the world's domains should publish, of these purposes or of all."""
        with every_tenant("the demo publishes its domains' records"):
            # On a test stack there are other tenants, whose records are not the world's to publish.
            wanted = DnsRecord.objects.filter(domain__in=self._domain_ids()).order_by("pk")
            return list(wanted.filter(purpose__in=purposes) if purposes else wanted)

    def people(self) -> dict:
        """Return the sign-ins as stack.json shows them."""
        return {
            "operator": self._owner(HOUSE),
            "reseller": self._person(RESELLER_LOGIN),
            "customers": [self._owner(customer) for customer in CUSTOMERS],
        }

    def _domain_ids(self) -> list[int]:
        return [domain.pk for _, _, domain in self.domains()]

    def _claim(self, customer: Customer, actor: Actor) -> None:
        self.actors[customer.name] = actor
        with tenant_scope(actor.tenant_path):
            known = set(Domain.objects.live().filter(tenant=actor.tenant_id).values_list("domain_name", flat=True))
        for name in customer.domains:
            if name not in known:
                create_domain(actor, name=name)

    def _owner(self, customer: Customer) -> dict:
        boxes = [{"email": address, "password": self.sign_ins.password(address)} for address in customer.mailboxes]
        return {
            **self._person(customer.login),
            "name": customer.name,
            "domains": list(customer.domains),
            "mailboxes": boxes,
        }

    def _person(self, login: str) -> dict:
        return {"email": login, **self.sign_ins.known[login]}

    def _tenant(self, above: Actor, kind: str, name: str) -> Tenant:
        with tenant_scope(above.tenant_path):
            parent = Tenant.objects.get(pk=above.tenant_id)
            found = Tenant.objects.filter(parent=parent, name=name, deleted_at=None).first()
        return found or create_tenant(above, parent=parent, kind=kind, name=name)

    def _account(self, tenant: Tenant, login: str) -> Actor:
        actor = system_actor(tenant, LABEL)
        password = self.sign_ins.password(login)
        if not User.objects.filter(email=login).exists():
            create_user(actor, tenant=tenant, email=login, role=Role.OWNER, password=password)
        if "api_key" not in self.sign_ins.known[login]:
            _key, text = create_api_key(actor, tenant=tenant, name=LABEL, scopes=list(scopes_for(tenant.kind)))
            self.sign_ins.keep(login, "api_key", text)
        return actor
