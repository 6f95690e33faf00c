"""What runs after a change of a mailbox, and by the clock."""

from django.conf import settings
from django.utils import timezone
from redis import Redis

from domains.models import Domain
from mailboxes import fullness, import_operations, last_logins, sessions
from mailboxes.addresses import display_address
from mailboxes.app_password_operations import end_expired
from mailboxes.invitations import VALID, link
from mailboxes.models import Mailbox
from mailhost.mail import compose
from mailhost.scope import every_tenant, subtree
from tenants.brands import dress_of
from tenants.models import Tenant


def end_sessions(address_mask: str) -> None:
    """End the open sessions of an address, or of a whole domain ("*@acme.example")."""
    sessions.end_sessions([address_mask])


def end_sessions_of_mailboxes(mailbox_ids: list[int]) -> None:
    """End the open sessions of several mailboxes."""
    with every_tenant("a task finds its mailboxes by id"):
        rows = Mailbox.objects.filter(pk__in=mailbox_ids).order_by("email")
        addresses = list(rows.values_list("email", flat=True))
    sessions.end_sessions(addresses)


def end_sessions_of_tenant(tenant_id: int) -> None:
    """End the open sessions in every domain of a tenant and of those below it."""
    with every_tenant("a task finds its tenant by id, deleted ones too"):
        path = Tenant.objects.values_list("path", flat=True).get(pk=tenant_id)
        below = Domain.objects.live().filter(subtree("tenant__path", path))
        names = list(below.order_by("domain_name").values_list("domain_name", flat=True))
    sessions.end_sessions([f"*@{name}" for name in names])


def send_invitation(mailbox_id: int, to: str, language: str = "") -> None:
    """Send the link that sets a mailbox's password, in the language of whoever invites. Raises SMTPException or
    OSError, and is then tried again."""
    with every_tenant("a task gets an id and no actor"):
        mailbox = Mailbox.objects.live().select_related("tenant__brand").filter(pk=mailbox_id).first()
    if mailbox is not None:
        told = {"address": display_address(mailbox.email), "link": link(mailbox), "days": VALID.days}
        compose("mailboxes/mail/invitation.txt", to, told, dress_of(mailbox.tenant), language=language).send()


def store_last_logins() -> None:
    """Store the sign-ins that Dovecot has noted since the last run."""
    with (
        every_tenant("sign-ins are noted by address, for the whole installation"),
        Redis.from_url(settings.REDIS_URL, socket_timeout=5) as redis,
    ):
        last_logins.store_last_logins(redis)


def note_fullness() -> None:
    """Note beside each address how full its mailbox is."""
    fullness.note_fullness()


def forget_imports() -> None:
    """Forget tables that nobody imported, and those that were imported long ago."""
    with every_tenant("the tables of all tenants are forgotten by the clock"):
        import_operations.forget_imports(timezone.now())


def end_expired_app_passwords() -> None:
    """End the sessions that an app password has opened which has expired since."""
    with every_tenant("app passwords of every tenant expire by the clock"):
        end_expired(timezone.now())
