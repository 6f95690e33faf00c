"""Two customers with a proven domain each, new for every test, on the live stack."""

import secrets
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from accounts.actors import system_actor
from dns.models import DkimKey, Signer, SigningGeneration
from dns.record_operations import check_records
from dns.records import challenge_name, challenge_value
from domains.models import Domain
from domains.operations import create_domain, verify_domain
from mailboxes.alias_operations import create_alias
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox
from mailhost.actor import Actor
from mailhost.scope import every_tenant
from stack.publish import Published, publish
from tenants.models import Kind, Tenant
from tenants.operations import create_tenant, found_installation
from tests.mail.client import Post
from tests.stackside import StackSide

PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 90


@dataclass
class Customer:
    """A tenant with one proven domain, and what it does in the panel."""

    actor: Actor
    tenant: Tenant
    domain: Domain
    stack: StackSide

    def address(self, local: str) -> str:
        return f"{local}@{self.domain.domain_name}"

    def mailbox(self, local: str, *, quota_mb: int = 100, password: str = PASSWORD) -> Mailbox:
        return create_mailbox(self.actor, address=self.address(local), password=password, storage_quota_mb=quota_mb)

    def login(self, local: str) -> tuple[str, str]:
        """Create the mailbox and return what signs in to it."""
        return self.mailbox(local).email, PASSWORD

    def alias(self, source: str, *targets: str) -> list[Alias]:
        return create_alias(self.actor, source=self.address(source), targets=targets)

    def claim(self, name: str, *, alias_of: Domain | None = None, waits: bool = True, seconds: float = 30) -> Domain:
        """Add a domain and show proof that it is ours, in the DNS, as a customer does; wait until it signs.

        `seconds`: how long its key may take, and after that how long until it signs.
        """
        domain = create_domain(self.actor, name=name, alias_of=alias_of)
        proof = Published(f"{challenge_name(name)}.", "TXT", challenge_value(domain.challenge))
        publish(self.stack.info["dns"], [proof])
        domain = verify_domain(self.actor, domain=domain)
        self.publish_texts(domain, seconds)
        if waits:
            until_signing(domain, seconds)
        return domain

    def publish_texts(self, domain: Domain, seconds: float = 30) -> None:
        """Publish the domain's TXT records as the panel shows them, once its key is among them, and have it look."""
        deadline = time.monotonic() + seconds
        with every_tenant("a test publishes a customer's records"):
            records = domain.dns_records.filter(record_type="TXT")
            while not records.filter(purpose="dkim").exists():
                assert time.monotonic() < deadline, f"no DKIM record for {domain} after {seconds} s"
                time.sleep(0.05)
            shown = [Published(f"{record.name}.", record.record_type, record.value) for record in records]
        publish(self.stack.info["dns"], shown)
        check_records(self.actor, domain=domain)


def until(look: Callable[[], object], what: str) -> None:
    """Wait until what the daemons or the worker do is to be seen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECONDS} s"
        time.sleep(0.2)


def until_signing(domain: Domain, seconds: float = 30) -> None:
    """Wait until the signer has the key that DNS shows: before, what the domain sends is put off."""
    deadline = time.monotonic() + seconds
    with every_tenant("a test waits for a key"):
        while not DkimKey.objects.signing().filter(domain=domain).exists():
            assert time.monotonic() < deadline, f"no signing key for {domain} after {seconds} s"
            time.sleep(0.05)
    wanted = SigningGeneration.objects.get().wanted
    while not Signer.objects.filter(loaded__gte=wanted).exists():
        assert time.monotonic() < deadline, f"the signer has not loaded generation {wanted} after {seconds} s"
        time.sleep(0.05)


def make_customer(stack: StackSide, name: str) -> Customer:
    with every_tenant("a test makes a customer below the operator"):
        operator = Tenant.objects.filter(kind=Kind.OPERATOR).order_by("pk").first()
        if operator is None:
            operator = found_installation("Operator")
    tenant = create_tenant(system_actor(operator, "tests"), parent=operator, kind=Kind.CUSTOMER, name=name.title())
    customer = Customer(system_actor(tenant, "tests"), tenant, Domain(), stack)
    customer.domain = customer.claim(f"{name}-{secrets.token_hex(4)}.example")
    return customer


@pytest.fixture
def mail_stack(live: StackSide) -> StackSide:
    """Whose mail it is. A file whose tests stop parts, or count what is asked, says `private_stack` instead."""
    return live


@pytest.fixture
def post(mail_stack: StackSide) -> Post:
    return Post(mail_stack)


@pytest.fixture
def customer(mail_stack: StackSide) -> Callable[[str], Customer]:
    return lambda name: make_customer(mail_stack, name)


@pytest.fixture
def acme(mail_stack: StackSide) -> Customer:
    return make_customer(mail_stack, "acme")


@pytest.fixture
def bolt(mail_stack: StackSide) -> Customer:
    return make_customer(mail_stack, "bolt")


@pytest.fixture
def operator(live: StackSide) -> Actor:
    """The installation's operator, who may suspend any tenant."""
    with every_tenant("a test acts as the operator"):
        return system_actor(Tenant.objects.filter(kind=Kind.OPERATOR).order_by("pk").first(), "operator")


@pytest.fixture
def signed(live: StackSide) -> Callable[[Customer], None]:
    """Wait until the customer's mail leaves signed."""

    return lambda customer: until_signing(customer.domain)


@pytest.fixture
def filters(live: StackSide) -> Callable[[str, str], None]:
    """Installs a Sieve script as a mailbox's own: `filters(address, script)`."""

    def install(address: str, script: str) -> None:
        command = ["doveadm", "-c", live.info["dovecot"]["config_file"], "sieve", "put", "-u", address, "-a", "main"]
        subprocess.run(command, input=script, text=True, check=True, capture_output=True)

    return install
