"""Mailboxes and aliases, as Postfix and Dovecot read them: `mail_mailboxes`, `mail_aliases`."""

from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy

from domains.models import Domain
from longwork.models import LongWork
from mailboxes.addresses import DELIMITER, MAX_ADDRESS, MAX_QUEUED, queue_address
from mailboxes.app_passwords import PROTOCOLS
from mailboxes.expansion import MAX_TARGETS
from mailhost.fields import ExactCharField, UidField
from mailhost.said import from_kept
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet
from tenants.models import Tenant

# What would make one value two for a daemon, or a command, or a file name.
UNSAFE = r"[[:cntrl:][:space:]|,/:]"
# The targets of an alias and its mailbox itself, each with a comma.
MAX_ANSWER = (MAX_TARGETS + 1) * (MAX_QUEUED + 1)
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


class OwnerField(models.ForeignKey):
    """The tenant of the row's domain, so that what a tenant has is one range of an index. Written with the row; a
    foreign key on (domain, tenant) holds the two together."""

    def pre_save(self, instance, add):
        setattr(instance, self.attname, instance.domain.tenant_id)
        return super().pre_save(instance, add)

    def deconstruct(self):
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", arguments, options


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


def _substring_index(text, mark: str, count: int) -> Func:
    """What stands before (or, counted from the end, behind) so many of these signs."""
    return Func(text, Value(mark), Value(count), function="SUBSTRING_INDEX", output_field=models.CharField())


TARGET_DOMAIN = _substring_index(F("destination_email"), "@", -1)
TARGET_LOCAL = _substring_index(_substring_index(F("destination_email"), "@", 1), DELIMITER, 1)


class AliasQuerySet(TenantQuerySet):
    def written(self):
        """The aliases people made: without the rows by which a mailbox answers for its own address, and without
        those of alias domains, which follow the main domain's."""
        return self.filter(own_mailbox=None, is_denial=False, domain__alias_of=None)

    def written_in_order(self):
        """As `written`, for lists: without a join to the domains, so that a tenant's sources come out of one index in
        their order."""
        return self.filter(own_mailbox=None, is_denial=False).of_main_domains()

    def of_main_domains(self):
        """Without those of alias domains. MariaDB asks in the order of the conditions, and this one costs most."""
        in_alias_domain = Domain.objects.order_by().filter(pk=OuterRef("domain"), alias_of__isnull=False)
        return self.filter(~Exists(in_alias_domain))

    def denied(self):
        """The addresses that catch-alls do not take, without those of alias domains."""
        return self.filter(is_denial=True, domain__alias_of=None)

    def listed(self):
        """What lists show, in their order."""
        return self.written().in_order()

    def in_order(self):
        return self.select_related("domain").order_by("alias_email", "destination_email", "pk")


class Alias(TenantOwned):
    """One source and one target; a source with many targets is many rows, a catch-all's source is "@domain".

    Every live mailbox has a row of its own here (`own_mailbox`, source = target = its address), so that the full
    address answers before a catch-all does, and in one probe. `is_active` is what the customary alias query reads,
    `is_routed` what ours reads (a suspended mailbox still keeps its address from the catch-all), `may_send_as`
    whether the target's login may use the source as sender. All three are written by `mailboxes.effective` alone.

    An address that the domain's catch-all does not take is a row, too (`is_denial`): it leads to itself, is routed, so
    that the full address answers before the catch-all, and is never active, so that the answer is a refusal.
    """

    tenant_path = "tenant__path"
    domain_path = "domain"
    unrecorded = frozenset(
        {"tenant", "own_mailbox", "target_mailbox", "queued_as", "is_active", "is_routed", "may_send_as"}
    )
    # Whether its source led nowhere before, once it is made (`mailboxes.alias_operations`).
    is_first: bool

    uid = UidField()
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="aliases")
    # NULL only where a process of an earlier release wrote the row while this one was installed.
    tenant = OwnerField(
        Tenant, models.PROTECT, null=True, editable=False, related_name="+", db_index=False, db_constraint=False
    )
    alias_email = ExactCharField(max_length=MAX_ADDRESS)
    destination_email = ExactCharField(max_length=MAX_ADDRESS)
    own_mailbox = models.OneToOneField(Mailbox, models.CASCADE, null=True, related_name="own_row")
    target_mailbox = models.ForeignKey(Mailbox, models.SET_NULL, null=True, related_name="alias_rows")
    # In a mailbox's own row, where Postfix shall queue its mail under another address (Mailbox.queued_as).
    queued_as = models.CharField(max_length=MAX_QUEUED, null=True, editable=False, db_collation="ascii_bin")  # noqa: DJ001 - most have none
    is_enabled = models.BooleanField(default=True)
    is_denial = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=False)
    is_routed = models.BooleanField(default=False)
    may_send_as = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # What Postfix probes and is answered: the source of a routed row, and where it leads; their index holds both.
    routed_email = models.GeneratedField(
        expression=Case(When(is_routed=True, then=F("alias_email")), default=None),
        output_field=ExactCharField(max_length=MAX_ADDRESS, null=True),
        db_persist=True,
    )
    leads_to = models.GeneratedField(
        expression=Coalesce("queued_as", "destination_email"),
        output_field=models.CharField(max_length=MAX_QUEUED, db_collation="ascii_bin"),
        db_persist=True,
    )
    # Where mail goes on that comes to no mailbox of ours, without a detail: "acme.example@sales". The domain stands
    # first, so that one range of an index holds all that leads to a domain (mailboxes.chains).
    next_stop = models.GeneratedField(
        expression=Case(When(target_mailbox=None, then=Concat(TARGET_DOMAIN, Value("@"), TARGET_LOCAL)), default=None),
        output_field=ExactCharField(max_length=MAX_ADDRESS, null=True),
        db_persist=True,
    )

    objects = TenantManager.with_methods_of(AliasQuerySet)

    class Meta:
        db_table = "mail_aliases"
        verbose_name_plural = "aliases"
        constraints = [
            models.UniqueConstraint(fields=["alias_email", "destination_email"], name="alias_pair_once"),
            models.CheckConstraint(condition=~Q(alias_email__regex=UNSAFE), name="alias_source_safe"),
            models.CheckConstraint(condition=~Q(destination_email__regex=UNSAFE), name="alias_target_safe"),
        ]
        indexes = [
            models.Index(fields=["destination_email"], name="alias_by_target"),
            models.Index(fields=["routed_email", "leads_to"], name="alias_leads_to"),
            models.Index(fields=["next_stop"], name="alias_next_stop"),
            # Those people made, by how they begin.
            models.Index(fields=["domain", "own_mailbox", "alias_email"], name="alias_written_by_name"),
            # A tenant's, in the order of lists, with all that a search looks at.
            models.Index(
                fields=["tenant", "own_mailbox", "is_denial", "alias_email", "domain", "destination_email"],
                name="alias_list_of_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alias_email} → {self.destination_email}"

    @property
    def is_catch_all(self) -> bool:
        return self.alias_email.startswith("@")


class Route(models.Model):
    """All that Postfix is answered for a source: where its routed rows lead, with commas as Postfix itself would put
    them. By its primary key, because an index with several rows to a source costs Postfix a quarter more each time.

    Nobody writes here but the triggers of `mail_aliases`, in the statement that changes a row there.
    """

    source = ExactCharField(max_length=MAX_ADDRESS, primary_key=True)
    leads_to = models.CharField(max_length=MAX_ANSWER, db_collation="ascii_bin")

    class Meta:
        db_table = "mail_routes"

    def __str__(self) -> str:
        return f"{self.source} → {self.leads_to}"


class KeptAlias(TenantOwned):
    """An alias, a denial or a mailbox's own row of a removed domain, kept until the domain's grace is over."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    uid = UidField()
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="kept_aliases")
    alias_email = ExactCharField(max_length=MAX_ADDRESS)
    destination_email = ExactCharField(max_length=MAX_ADDRESS)
    own_mailbox = models.ForeignKey(Mailbox, models.CASCADE, null=True, related_name="+")
    queued_as = models.CharField(max_length=MAX_QUEUED, null=True, editable=False, db_collation="ascii_bin")  # noqa: DJ001 - as in Alias
    is_enabled = models.BooleanField()
    is_denial = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "mail_kept_aliases"

    def __str__(self) -> str:
        return f"{self.alias_email} → {self.destination_email}"


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


class QuotaUsage(models.Model):
    """What Dovecot's quota_clone plugin writes after each delivery, under the mailbox's address."""

    username = ExactCharField(max_length=MAX_ADDRESS, primary_key=True)
    bytes = models.BigIntegerField(default=0, db_default=0)
    messages = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "mail_quota_usage"

    def __str__(self) -> str:
        return f"{self.bytes} bytes in {self.messages} messages"


class FormerAddress(models.Model):
    """An address that a mailbox had whose row is gone. Who has it next is a successor (`Mailbox.is_successor`)."""

    # SHA-256: of those who are gone no more is kept than what this one question needs.
    digest = models.CharField(max_length=64, primary_key=True, db_collation="ascii_bin")

    class Meta:
        db_table = "mail_former_addresses"
        verbose_name_plural = "former addresses"

    def __str__(self) -> str:
        return self.digest


class LastLogin(models.Model):
    """A mailbox's newest sign-in: Dovecot writes it to Redis, a periodic task stores it here."""

    mailbox = models.OneToOneField(Mailbox, models.CASCADE, primary_key=True, related_name="last_login")
    at = models.DateTimeField()
    service = models.CharField(max_length=20, default="")

    class Meta:
        db_table = "mail_last_logins"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC by {self.service}"


class Import(TenantOwned):
    """A table that somebody brought: kept until it is imported or a day is over, then what its report needs.

    The rows may hold passwords, so they are encrypted, and gone once the work has begun.
    """

    tenant_path = "tenant__path"
    secret = frozenset({"sealed_rows"})

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, db_collation="ascii_bin")
    file_name = models.CharField(max_length=200)
    brought_by = models.CharField(max_length=254)
    sealed_rows = models.TextField()
    # Line and address of each row that the work was given, in its order.
    lines = models.JSONField(default=list)
    # (line, address, why, the same to be said again) of those that had not the right shape.
    refused = models.JSONField(default=list)
    work = models.OneToOneField(LongWork, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "mail_imports"
        indexes = [
            models.Index(fields=["tenant", "id"], name="import_of_tenant"),
            models.Index(fields=["created_at"], name="import_age"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"

    @property
    def refusals(self) -> list[tuple[int, str, str]]:
        """Return (line, address, why) of those without the right shape, in the language of who reads."""
        return [
            (line, address, from_kept(said[0]).translated or why if said else why)
            for line, address, why, *said in self.refused
        ]
