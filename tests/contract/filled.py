"""Mail tables with some thousand rows, for tests that look at plans and rows read."""

import hashlib

from django.utils import timezone

from domains.models import Domain
from mailboxes.models import Alias, AppPassword, Mailbox
from mailhost.scope import every_tenant
from tenants.models import Allowance, Kind, Tenant

DOMAINS = 100
MAILBOXES_PER_DOMAIN = 50
APP_PASSWORDS_OF_ONE = 500
# In every domain, the name of a mailbox elsewhere that takes no mail.
CLOSED = "closed"


def fill() -> None:
    """Write the rows as the panel leaves them: all proven and switched on, each mailbox with its own row."""
    with every_tenant("a test fills the tables"):
        tenant = Tenant.objects.create(path="/1/", kind=Kind.OPERATOR, name="Filled")
        Allowance.objects.create(tenant=tenant, path=tenant.path)
        now = timezone.now()
        Domain.objects.bulk_create(
            Domain(tenant=tenant, domain_name=f"domain{number}.example", verified_at=now, is_verified=True)
            for number in range(DOMAINS)
        )
        domains = list(Domain.objects.all())
        Mailbox.objects.bulk_create(
            [_mailbox(domain, number) for domain in domains for number in range(MAILBOXES_PER_DOMAIN)], batch_size=1000
        )
        mailboxes = list(Mailbox.objects.all())
        Alias.objects.bulk_create([_own_row(mailbox) for mailbox in mailboxes], batch_size=1000)
        AppPassword.objects.bulk_create(
            [_app_password(mailbox, 0) for mailbox in mailboxes]
            + [_app_password(mailboxes[0], number) for number in range(1, APP_PASSWORDS_OF_ONE)],
            batch_size=1000,
        )
        Alias.objects.bulk_create(
            Alias(
                domain=domain,
                alias_email=f"{CLOSED}@{domain.domain_name}",
                destination_email=f"{CLOSED}@elsewhere.example",
                is_routed=True,
                is_active=False,
            )
            for domain in domains
        )


def _mailbox(domain: Domain, number: int) -> Mailbox:
    return Mailbox(
        domain=domain,
        email=f"box{number}@{domain.domain_name}",
        password_hash="{PLAIN}x",
        storage_quota=1024,
        is_active=True,
        may_receive=True,
        may_smtp=True,
        may_imap=True,
        may_pop3=True,
        may_sieve=True,
    )


def _own_row(mailbox: Mailbox) -> Alias:
    return Alias(
        domain_id=mailbox.domain_id,
        alias_email=mailbox.email,
        destination_email=mailbox.email,
        own_mailbox=mailbox,
        target_mailbox=mailbox,
        is_active=True,
        is_routed=True,
        may_send_as=True,
    )


def _app_password(mailbox: Mailbox, number: int) -> AppPassword:
    return AppPassword(
        mailbox=mailbox,
        name=f"Device {number}",
        selector=selector_of(mailbox.email, number),
        digest="{SHA256}x",
        allows_imap=True,
        allows_pop3=True,
        allows_smtp=True,
    )


def selector_of(address: str, number: int = 0) -> str:
    """Return the selector of a mailbox's app password here."""
    return hashlib.sha256(f"{address}/{number}".encode()).hexdigest()[:10]
