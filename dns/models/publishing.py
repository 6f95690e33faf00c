"""Publishing into a domain's own zone: the way in, what was changed there, and what is ours."""

from django.db import models

from domains.models import Domain
from mailhost.fields import ExactCharField
from mailhost.scope import TenantOwned


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
