"""Mailboxes, as Postfix and Dovecot read them."""

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Concat
from django.utils.translation import gettext_lazy

from domains.models import Domain
from mailboxes.addresses import MAX_ADDRESS, queue_address
from mailboxes.models.columns import UNSAFE, OwnerField
from mailhost.fields import ExactCharField, UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet
from tenants.models import Tenant

NARROWED_BY = ("used_percent", "display_name")
STANDING = ("is_enabled", "is_active")


def homes():
    """The domains that may hold mailboxes: proven, live, and no alias domains."""
    return Domain.objects.filter(owned_name__isnull=False, alias_of=None)


class MailboxQuerySet(TenantQuerySet):
    def live(self):
        return self.filter(deleted_at=None)

    def deleted(self):
        return self.exclude(deleted_at=None)

    def binned(self):
        """What the bin shows: whether there is a domain to come back to (`has_home`)."""
        home = homes().filter(owned_name=OuterRef("domain__domain_name"), tenant_id=OuterRef("domain__tenant_id"))
        return self.deleted().select_related("domain").annotate(has_home=Exists(home))

    def listed(self):
        """What lists show, in their order, with quota use (`used_bytes`) and last sign-in."""
        return (
            self.live()
            .select_related("domain", "last_login")
            .annotate(used_bytes=Coalesce("usage__bytes", 0))
            .order_by("email", "pk")
        )


class Mailbox(TenantOwned):
    """An address with mail behind it. The mail lies under `uid`, never under the address, so that an address given
    to somebody else never opens the former mail.

    `is_enabled` and the `…_enabled` columns are the mailbox's own switches; `is_active` and `may_…` are what daemons
    read, follow from the switches, the domain and every tenant above, and are written by `mailboxes.effective` alone.
    """

    tenant_path = "tenant__path"
    domain_path = "domain"
    secret = frozenset({"password_hash"})
    unrecorded = frozenset(
        {"is_active", "may_receive", "may_smtp", "may_imap", "may_pop3", "may_sieve", "used_percent", "is_successor"}
    )

    uid = UidField()
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="mailboxes")
    tenant = OwnerField(Tenant, models.PROTECT, editable=False, related_name="+", db_index=False, db_constraint=False)
    email = ExactCharField(max_length=MAX_ADDRESS)
    password_hash = models.CharField(max_length=255)
    display_name = models.CharField(max_length=120, default="", blank=True)
    storage_quota = models.PositiveIntegerField(help_text=gettext_lazy("MB"))
    # How full it is, so that lists find full ones in an index; noted by the clock (`mailboxes.fullness`).
    used_percent = models.PositiveSmallIntegerField(default=0, db_default=0)
    is_enabled = models.BooleanField(default=True)
    receives_enabled = models.BooleanField(default=True)
    sends_enabled = models.BooleanField(default=True)
    imap_enabled = models.BooleanField(default=True)
    pop3_enabled = models.BooleanField(default=True)
    managesieve_enabled = models.BooleanField(default=True)
    is_active = models.BooleanField(default=False)
    may_receive = models.BooleanField(default=False)
    may_smtp = models.BooleanField(default=False)
    may_imap = models.BooleanField(default=False)
    may_pop3 = models.BooleanField(default=False)
    may_sieve = models.BooleanField(default=False)
    # Whether another mailbox had this address before (`queued_as`).
    is_successor = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    # By the address, as Dovecot writes it: no constraint, and no row before the first message.
    usage = models.ForeignObject(
        "QuotaUsage", models.DO_NOTHING, from_fields=["email"], to_fields=["username"], null=True, related_name="+"
    )
    # The words that Dovecot wants; it reads them at each sign-in.
    quota_rule = models.GeneratedField(
        expression=Concat(Value("*:storage="), "storage_quota", Value("M")),
        output_field=models.CharField(max_length=30),
        db_persist=True,
    )
    is_live = models.GeneratedField(
        expression=Case(When(deleted_at=None, then=1), default=None),
        output_field=models.PositiveSmallIntegerField(null=True),
        db_persist=True,
    )
    # What daemons probe: one unique column makes MariaDB read a constant row, a sixth cheaper than two columns.
    live_email = models.GeneratedField(
        expression=Case(When(deleted_at=None, then=F("email")), default=None),
        output_field=ExactCharField(max_length=MAX_ADDRESS, null=True),
        db_persist=True,
    )

    objects = TenantManager.with_methods_of(MailboxQuerySet)

    class Meta:
        db_table = "mail_mailboxes"
        constraints = [
            models.UniqueConstraint(fields=["email", "is_live"], name="mailbox_one_live"),
            models.UniqueConstraint(fields=["live_email"], name="mailbox_live_email"),
            models.CheckConstraint(condition=Q(storage_quota__gt=0), name="mailbox_quota_above_zero"),
            models.CheckConstraint(condition=~Q(email__regex=UNSAFE), name="mailbox_email_safe"),
        ]
        indexes = [
            # Lists by address: whatever they are narrowed by stands here, so that no row is read in vain.
            models.Index(fields=["domain", "is_live", "email", *STANDING, *NARROWED_BY], name="mailbox_list_of_domain"),
            models.Index(fields=["tenant", "is_live", "email", *NARROWED_BY], name="mailbox_by_address"),
            models.Index(fields=["tenant", "is_live", *STANDING, "email", *NARROWED_BY], name="mailbox_by_standing"),
            models.Index(fields=["tenant", "is_live", "id"], name="mailbox_of_tenant_by_age"),
            models.Index(fields=["tenant", "is_live", "used_percent", "id"], name="mailbox_of_tenant_by_use"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def queued_as(self) -> str | None:
        """The address under which its mail waits in Postfix's queue, where that is not the plain one.

        The plain one is the first mailbox's that had the address: what waited for that one when it was deleted must
        not reach who came after it.
        """
        return queue_address(self.email, self.uid) if self.is_successor else None


class FormerAddress(models.Model):
    """An address that a mailbox had whose row is gone. Who has it next is a successor (`Mailbox.is_successor`)."""

    # SHA-256: of those who are gone no more is kept than what this one question needs.
    digest = models.CharField(max_length=64, primary_key=True, db_collation="ascii_bin")

    class Meta:
        db_table = "mail_former_addresses"
        verbose_name_plural = "former addresses"

    def __str__(self) -> str:
        return self.digest
