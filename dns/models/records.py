"""Records that a domain should publish (`mail_dns_records`), what DNS shows of them, and when it is asked."""

from django.db import models
from django.utils.translation import gettext_lazy as _

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
