"""Records a domain should publish (`mail_dns_records`) and the keys that sign its mail."""

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dns.bimi import MAX_URL
from dns.mta_sts import Mode
from domains.models import Domain
from mailhost.fields import ExactCharField, UidField
from mailhost.said import from_kept
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet


class Purpose(models.TextChoices):
    OWNERSHIP = "ownership"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MTA_STS = "mta_sts"
    TLS_RPT = "tls_rpt"
    AUTOCONFIG = "autoconfig"
    AUTODISCOVER = "autodiscover"
    PACC = "pacc"
    SRV = "srv"
    CAA = "caa"
    BIMI = "bimi"
    # Of the installation's own host.
    ADDRESS = "address"
    PTR = "ptr"
    GREETING = "greeting"
    SPF_INCLUDE = "spf_include"
    REPORTS_TAKEN = "reports_taken"
    SETUP_HOST = "setup_host"
    TLSA = "tlsa"


def purposes():
    return Purpose.choices


class Necessity(models.TextChoices):
    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


def necessities():
    return Necessity.choices


class Status(models.TextChoices):
    NOT_CHECKED = "not_checked"
    OK = "ok"
    MISSING = "missing"
    MISMATCH = "mismatch"
    TEMPORARY_FAILURE = "temporary_failure"


def statuses():
    return Status.choices


def mta_sts_modes():
    return Mode.choices


class ExpectedRow(models.Model):
    """A record that should stand in DNS, and what was last found in its place."""

    uid = UidField()
    purpose = models.CharField(max_length=20, choices=purposes)
    record_type = models.CharField(max_length=10)
    name = ExactCharField(max_length=253)
    value = models.TextField()
    ttl = models.PositiveIntegerField(default=3600, help_text=_("seconds"))
    priority = models.PositiveSmallIntegerField(null=True)
    necessity = models.CharField(max_length=20, choices=necessities)
    status = models.CharField(max_length=20, choices=statuses, default=Status.NOT_CHECKED)
    found = models.JSONField(default=list)
    # In English for programs; `problem_said` is the same as text and values (`mailhost.said`), for pages.
    problem = models.CharField(max_length=500, default="")
    problem_said = models.JSONField(default=dict)
    last_checked_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.record_type}"

    @property
    def problem_here(self) -> str:
        """What is wrong, in the language of who reads it; rows not checked since an upgrade know English alone."""
        return from_kept(self.problem_said).translated or self.problem


class RecordQuerySet(TenantQuerySet):
    def of_domain(self, domain: Domain | int):
        return self.filter(domain=domain).order_by("purpose", "name", "pk")


class DnsRecord(ExpectedRow, TenantOwned):
    """One record that a domain should publish."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"
    unrecorded = frozenset({"status", "found", "problem", "problem_said", "last_checked_at"})

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dns_records")
    # A record that stood and is not found any more: how often in a row, since when, and from when it counts as gone.
    misses = models.PositiveSmallIntegerField(default=0)
    missed_since = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager.with_methods_of(RecordQuerySet)

    class Meta:
        db_table = "mail_dns_records"
        constraints = [
            models.UniqueConstraint(fields=["domain", "purpose", "record_type", "name"], name="record_once"),
        ]


class RecordChange(TenantOwned):
    """What DNS showed before and after, under one name of a domain's: the history of its records."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dns_changes")
    purpose = models.CharField(max_length=20)
    record_type = models.CharField(max_length=10)
    name = ExactCharField(max_length=253)
    status_before = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    found_before = models.JSONField(default=list)
    found = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    objects = TenantManager.with_methods_of(TenantQuerySet)

    class Meta:
        db_table = "dns_record_changes"
        indexes = [models.Index(fields=["domain", "id"], name="record_change_of_domain")]

    def __str__(self) -> str:
        return f"{self.name} {self.record_type}: {self.status_before} → {self.status}"


class CheckSchedule(TenantOwned):
    """When a domain's records are looked up next. `step` counts the checks since the last change."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="check_schedule")
    step = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(db_index=True)
    last_check_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dns_check_schedules"

    def __str__(self) -> str:
        return f"{self.domain}: {self.next_check_at:%Y-%m-%d %H:%M}"


class LameServer(TenantOwned):
    """A name server of a domain's zone that does not answer for it while others do, and since when.

    `outcome` is one of `dns.answers`; `looks`: how often in a row it was found so; `told_at`: when it had lasted.
    """

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="lame_servers")
    server = ExactCharField(max_length=253)
    outcome = models.CharField(max_length=20)
    since = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    looks = models.PositiveSmallIntegerField(default=1)
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dns_lame_servers"
        constraints = [models.UniqueConstraint(fields=["domain", "server"], name="lame_server_once")]

    def __str__(self) -> str:
        return f"{self.server} of {self.domain}: {self.outcome}"


class MtaSts(TenantOwned):
    """The MTA-STS mode that a domain has chosen (`dns.mta_sts`), and since when it holds."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="mta_sts")
    mode = models.CharField(max_length=10, choices=mta_sts_modes)
    since = models.DateTimeField()

    class Meta:
        db_table = "dns_mta_sts"

    def __str__(self) -> str:
        return f"{self.domain}: {self.mode}"


class DmarcPolicy(TenantOwned):
    """The DMARC policy that a domain has chosen, and since when; `none` without a row."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="dmarc_policy")
    policy = models.CharField(max_length=10, db_collation="ascii_bin")
    since = models.DateTimeField()

    class Meta:
        db_table = "dns_dmarc_policies"

    def __str__(self) -> str:
        return f"{self.domain}: {self.policy}"


class Logo(TenantOwned):
    """The picture that a domain shows beside its mail (BIMI): where it lies, and its mark certificate, if any."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="logo")
    logo_url = models.CharField(max_length=MAX_URL)
    certificate_url = models.CharField(max_length=MAX_URL, default="")
    since = models.DateTimeField()

    class Meta:
        db_table = "dns_logos"

    def __str__(self) -> str:
        return f"{self.domain}: {self.logo_url}"


class ZoneAccess(TenantOwned):
    """How a domain's zone is published into: by dynamic updates (RFC 2136), or by a `provider`'s API.

    `sealed_secret`, a TSIG key or an API token, opens by `mailhost.vault` alone.
    """

    tenant_path = "domain__tenant__path"
    domain_path = "domain"
    secret = frozenset({"sealed_secret"})

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="zone_access")
    # "": dynamic updates, at this server and by this key.
    provider = models.CharField(max_length=20, default="", db_collation="ascii_bin")
    server = models.CharField(max_length=253, default="")
    port = models.PositiveIntegerField(default=53)
    zone = ExactCharField(max_length=253)
    key_name = models.CharField(max_length=253, default="")
    algorithm = models.CharField(max_length=20, default="")
    sealed_secret = models.TextField()
    automatic = models.BooleanField(default=True)
    # Since when publishing by itself does not work, and when the tenant was told.
    failing_since = models.DateTimeField(null=True)
    failure_told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "dns_zone_accesses"

    def __str__(self) -> str:
        return f"{self.zone} at {self.provider or self.server}"


class Publication(TenantOwned):
    """What one publishing changed in a zone, so that it can be taken back."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="publications")
    zone = models.CharField(max_length=253)
    changes = models.JSONField(default=list)
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dns_publications"
        indexes = [models.Index(fields=["domain", "id"], name="publication_of_domain")]

    def __str__(self) -> str:
        return f"{len(self.changes)} changes in {self.zone}"


class PublishingIntent(models.Model):
    """What is about to be changed in a zone: written, and committed, before the zone's server is asked to.

    Whoever is killed in between leaves it, and the next act on the domain finds by it what came of the change
    (`dns.intents`). It has no foreign key: the domain's row may be in use by the very act that writes this.
    """

    domain_pk = models.PositiveBigIntegerField(db_index=True)
    zone = models.CharField(max_length=253)
    changes = models.JSONField(default=list)
    begun_at = models.DateTimeField()
    # While it may still be under way.
    is_held = models.BooleanField(default=True)

    class Meta:
        db_table = "dns_publishing_intents"

    def __str__(self) -> str:
        return f"{len(self.changes)} changes meant for {self.zone}"


class ZoneHold(models.Model):
    """A row that whoever changes a domain's zone keeps locked, from the look at the zone until what came of it is
    committed (`dns.intents`). It has no foreign key, and is none of the rows that a change of the domain locks."""

    domain_pk = models.PositiveBigIntegerField(primary_key=True)

    class Meta:
        db_table = "dns_zone_holds"

    def __str__(self) -> str:
        return f"the zone of domain {self.domain_pk}"


class WrittenRecord(TenantOwned):
    """A record that we put into a zone: these alone we may take out of it. `data` is in zone-file form."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="written_records")
    name = ExactCharField(max_length=253)
    record_type = models.CharField(max_length=10)
    data = models.TextField()

    class Meta:
        db_table = "dns_written_records"
        indexes = [models.Index(fields=["domain", "name"], name="written_record_of_domain")]

    def __str__(self) -> str:
        return f"{self.name} {self.record_type}"


class KeyState(models.TextChoices):
    PENDING = "pending"
    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


def key_states():
    return KeyState.choices


class KeyQuerySet(TenantQuerySet):
    def shown_in_dns(self):
        """Keys whose public part DNS must show, oldest first."""
        return self.exclude(state=KeyState.RETIRED).order_by("pk")

    def signing(self):
        return self.filter(state=KeyState.ACTIVE).order_by("-pk")

    def next_in_line(self):
        """Keys that DNS is to show before they sign: at most one of each domain."""
        return self.filter(state__in=[KeyState.PENDING, KeyState.PUBLISHED])

    def on_signers(self):
        """Keys whose file the signer keeps: a retiring one may still be read for a message that is on its way."""
        return self.filter(
            state__in=[KeyState.ACTIVE, KeyState.RETIRING],
            domain__deleted_at=None,
            domain__verified_at__isnull=False,
        )

    def of_deleted_domains(self):
        return self.exclude(private_key="").filter(domain__deleted_at__isnull=False)


class DkimKey(TenantOwned):
    """A signing key of a domain under a selector of its own. The private part is encrypted (`dns.dkim`), and empty
    once it is destroyed; `fingerprint` is the SHA-256 of its PEM.

    pending: made, and DNS is to show it. published: every authoritative server shows it. active: signs. retiring:
    signs no more, DNS still shows it for mail on its way. retired: its private part is destroyed.
    """

    tenant_path = "domain__tenant__path"
    domain_path = "domain"
    secret = frozenset({"private_key"})

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dkim_keys")
    selector = models.CharField(max_length=40, db_collation="ascii_bin")
    # Its record stands in the operator's zone, and an alias of the domain's leads to it (`dns.key_aliases`).
    by_alias = models.BooleanField(default=False, db_default=False)
    algorithm = models.CharField(max_length=10, default="rsa-2048")
    private_key = models.TextField()
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=64, db_collation="ascii_bin")
    state = models.CharField(max_length=10, choices=key_states, default=KeyState.PENDING)
    state_since = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # One key signs and at most one waits its turn, whatever crashes or runs twice: the database holds it.
    signing_domain = models.GeneratedField(
        expression=Case(When(state="active", then=F("domain_id")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    next_domain = models.GeneratedField(
        expression=Case(When(state__in=["pending", "published"], then=F("domain_id")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    # Selectors of aliases are used again, once the former key is retired.
    shown_selector = models.GeneratedField(
        expression=Case(When(~Q(state="retired"), then=F("selector")), default=None),
        output_field=models.CharField(max_length=40, null=True, db_collation="ascii_bin"),
        db_persist=True,
    )

    objects = TenantManager.with_methods_of(KeyQuerySet)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "shown_selector"], name="dkim_selector_in_dns_once"),
            models.UniqueConstraint(fields=["signing_domain"], name="dkim_one_signs"),
            models.UniqueConstraint(fields=["next_domain"], name="dkim_one_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def is_shown_in_dns(self) -> bool:
        return self.state != KeyState.RETIRED


class SigningGeneration(models.Model):
    """The number of the table set that every OpenDKIM should have loaded. One row.

    `wanted` grows with every change of keys or domains, in the transaction of the change.
    """

    wanted = models.PositiveBigIntegerField(default=0)
    wanted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"wanted {self.wanted}"


class SigningChange(models.Model):
    """Whose keys one generation changed, so that a signer that is few generations behind need not read all.

    Written in the transaction of the change, while it holds the generation's row: numbers appear in order.
    """

    generation = models.PositiveBigIntegerField(primary_key=True)
    # "": more than one domain, or nobody said which.
    domain_name = ExactCharField(max_length=253, default="")

    def __str__(self) -> str:
        return f"{self.generation}: {self.domain_name or 'any'}"


class HostState(models.Model):
    """What DNS shows of a mail host itself: its addresses, their names, SPF for its greeting, and block lists.

    `problems` are as `mailhost.said` keeps them. After `misses` in a row the operators are told. `is_signed`: whether
    DNSSEC vouches for its name; `keys`: digests of the keys of its certificate, the one in use first (`dns.dane`),
    None until they were read.
    """

    name = ExactCharField(max_length=253, unique=True)
    addresses = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    is_signed = models.BooleanField(null=True)
    keys = models.JSONField(null=True)
    checked_at = models.DateTimeField()
    misses = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "dns_host_states"

    def __str__(self) -> str:
        return self.name


class HostRecord(ExpectedRow):
    """One record for a mail host itself. Several may stand at one name: addresses, keys of certificates."""

    host = models.ForeignKey(HostState, models.CASCADE, related_name="records")

    class Meta:
        db_table = "dns_host_records"


class Signer(models.Model):
    """One mail host's OpenDKIM: the generation of its files, the one that the running daemon has, and what is wrong."""

    name = ExactCharField(max_length=253, unique=True)
    written = models.PositiveBigIntegerField(default=0)
    written_at = models.DateTimeField(null=True)
    loaded = models.PositiveBigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    domains = models.PositiveIntegerField(default=0)
    # When the last rewrites are paid off, one pause for each: until shortly before, further ones wait.
    paced_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, default="")
    failing_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
