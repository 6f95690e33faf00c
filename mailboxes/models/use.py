"""How mailboxes are used: who signs in, with which app password, and how much lies there."""

from django.db import models
from django.utils import timezone

from mailboxes.addresses import MAX_ADDRESS
from mailboxes.app_passwords import PROTOCOLS
from mailboxes.models.mailboxes import Mailbox
from mailhost.fields import ExactCharField, UidField
from mailhost.scope import TenantOwned


class AppPassword(TenantOwned):
    """One more password of a mailbox, for one program or device. Dovecot finds it by `selector` and verifies `digest`;
    what the mailbox itself may not do, no app password does (`mailboxes.lookups`, `app_passdb`)."""

    tenant_path = "mailbox__domain__tenant__path"
    domain_path = "mailbox__domain"
    secret = frozenset({"digest"})
    unrecorded = frozenset({"last_used_at", "last_used_by"})

    uid = UidField()
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="app_passwords")
    name = models.CharField(max_length=80)
    selector = models.CharField(max_length=10, unique=True, db_collation="ascii_bin")
    digest = models.CharField(max_length=60, db_collation="ascii_bin")
    allows_imap = models.BooleanField()
    allows_pop3 = models.BooleanField()
    allows_smtp = models.BooleanField()
    # As Dovecot's allow_nets takes it; NULL is every place.
    networks = models.CharField(max_length=1000, null=True, db_collation="ascii_bin")  # noqa: DJ001 - nobody asks ""
    expires_at = models.DateTimeField(null=True)
    # Sessions outlive an expiry until they are ended; when they were is kept here.
    ended_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_by = models.CharField(max_length=20, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "mail_app_passwords"
        indexes = [models.Index(fields=["ended_at", "expires_at"], name="app_password_expiry")]

    def __str__(self) -> str:
        return f"{self.name} ({self.selector}…) of {self.mailbox.email}"

    @property
    def protocols(self) -> list[str]:
        return [name for name in PROTOCOLS if getattr(self, f"allows_{name}")]

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def network_list(self) -> list[str]:
        return self.networks.split(",") if self.networks else []


class SignIn(TenantOwned):
    """The newest sign-in to a mailbox by one protocol: imap, pop3 or smtp."""

    tenant_path = "mailbox__domain__tenant__path"
    domain_path = "mailbox__domain"

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="sign_ins")
    service = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        db_table = "mail_sign_ins"
        constraints = [models.UniqueConstraint(fields=["mailbox", "service"], name="sign_in_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC by {self.service}"


class LastLogin(models.Model):
    """A mailbox's newest sign-in: Dovecot writes it to Redis, a periodic task stores it here."""

    mailbox = models.OneToOneField(Mailbox, models.CASCADE, primary_key=True, related_name="last_login")
    at = models.DateTimeField()
    service = models.CharField(max_length=20, default="")

    class Meta:
        db_table = "mail_last_logins"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC by {self.service}"


class QuotaUsage(models.Model):
    """What Dovecot's quota_clone plugin writes after each delivery, under the mailbox's address."""

    username = ExactCharField(max_length=MAX_ADDRESS, primary_key=True)
    bytes = models.BigIntegerField(default=0, db_default=0)
    messages = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "mail_quota_usage"

    def __str__(self) -> str:
        return f"{self.bytes} bytes in {self.messages} messages"
