"""What receivers report of a domain's mail, added up by day; and what could not be read."""

from django.db import models

from domains.models import Domain
from mailhost.fields import ExactCharField, UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet


class Kind(models.TextChoices):
    DMARC = "dmarc"
    TLS = "tls"


def kinds():
    return Kind.choices


class Report(TenantOwned):
    """A report that was counted, so that it is counted once. `policy` is what the receiver saw published."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=kinds)
    reporter = ExactCharField(max_length=255)
    report_id = ExactCharField(max_length=255)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    policy = models.JSONField(default=dict)
    total = models.PositiveBigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "reports_reports"
        constraints = [
            models.UniqueConstraint(fields=["domain", "kind", "reporter", "report_id"], name="report_counted_once")
        ]
        indexes = [models.Index(fields=["domain", "kind", "begins_at"], name="report_of_domain")]

    def __str__(self) -> str:
        return f"{self.reporter} {self.report_id}"


class DmarcQuerySet(TenantQuerySet):
    def since(self, domain: Domain, day):
        return self.filter(domain=domain, day__gte=day)


class DmarcCount(TenantOwned):
    """Messages of one day from one address with one result, over all reports."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dmarc_counts")
    day = models.DateField()
    source = models.CharField(max_length=45, db_collation="ascii_bin")
    is_dkim_aligned = models.BooleanField()
    is_spf_aligned = models.BooleanField()
    disposition = models.CharField(max_length=10, db_collation="ascii_bin")
    signed_by = models.CharField(max_length=255)
    count = models.PositiveBigIntegerField()

    objects = TenantManager.with_methods_of(DmarcQuerySet)

    class Meta:
        db_table = "reports_dmarc_counts"
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "day", "source", "is_dkim_aligned", "is_spf_aligned", "disposition"],
                name="dmarc_count_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source}: {self.count}"


class TlsCount(TenantOwned):
    """Sessions of one day with one result, over all reports."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="tls_counts")
    day = models.DateField()
    policy_type = models.CharField(max_length=30)
    result = models.CharField(max_length=60)
    mx_host = ExactCharField(max_length=255)
    count = models.PositiveBigIntegerField()

    objects = TenantManager.with_methods_of(DmarcQuerySet)

    class Meta:
        db_table = "reports_tls_counts"
        constraints = [
            models.UniqueConstraint(fields=["domain", "day", "policy_type", "result", "mx_host"], name="tls_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.result}: {self.count}"


class Mark(models.TextChoices):
    """What the domain's people say of an address."""

    UNKNOWN = "unknown"
    OURS = "ours"
    FOREIGN = "foreign"


def marks():
    return Mark.choices


class Source(TenantOwned):
    """An address that sends in a domain's name: its own name in DNS, and whether it is the domain's."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    uid = UidField()
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="mail_sources")
    address = models.CharField(max_length=45, db_collation="ascii_bin")
    name = models.CharField(max_length=253, default="")
    named_at = models.DateTimeField(null=True)
    mark = models.CharField(max_length=10, choices=marks, default=Mark.UNKNOWN)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "reports_sources"
        constraints = [models.UniqueConstraint(fields=["domain", "address"], name="source_once")]

    def __str__(self) -> str:
        return self.name or self.address


class SetAside(models.Model):
    """A message to the reports' mailbox that was not counted, and why. It stays in the mailbox's folder `Set aside`."""

    message_id = models.CharField(max_length=255)
    sender = models.CharField(max_length=255)
    recipient = models.CharField(max_length=255)
    reason = models.CharField(max_length=300)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "reports_set_aside"

    def __str__(self) -> str:
        return f"{self.sender}: {self.reason}"
