"""What tenants are billed for: one record for each day, tenant and metric, in the order in which they were written."""

from django.db import models

from mailhost.scope import TenantOwned
from tenants.models import Tenant


class BillingEvent(TenantOwned):
    """How much of something a tenant itself used on a day (UTC), as the book said when the day was closed.

    The database numbers the rows; whoever closes a day holds the row of `ClosedDay`, so no number appears behind a
    higher one, and a reader that goes on after the last number misses nothing. Rows are never changed.
    """

    tenant_path = "tenant__path"
    outlives_tenant = True

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+")
    day = models.DateField()
    metric = models.CharField(max_length=30, db_collation="ascii_bin")
    value = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "tenant", "metric"], name="billed_once")]
        indexes = [models.Index(fields=["tenant", "id"], name="billed_to_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.value} {self.metric} on {self.day}"


class ClosedDay(models.Model):
    """The last day that was closed: one row, which is also the lock."""

    last = models.DateField(null=True)

    def __str__(self) -> str:
        return f"closed until {self.last}"
