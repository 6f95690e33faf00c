"""Aliases and where they lead, as Postfix reads them."""

from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Concat

from domains.models import Domain
from mailboxes.addresses import DELIMITER, MAX_ADDRESS, MAX_QUEUED
from mailboxes.expansion import MAX_TARGETS
from mailboxes.models.columns import UNSAFE, OwnerField
from mailboxes.models.mailboxes import Mailbox
from mailhost.fields import ExactCharField, UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet
from tenants.models import Tenant

# The targets of an alias and its mailbox itself, each with a comma.
MAX_ANSWER = (MAX_TARGETS + 1) * (MAX_QUEUED + 1)


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
