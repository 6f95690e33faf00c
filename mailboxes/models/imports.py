"""Tables of mailboxes and aliases that somebody brought."""

from django.db import models

from longwork.models import LongWork
from mailhost.fields import UidField
from mailhost.said import from_kept
from mailhost.scope import TenantOwned
from tenants.models import Tenant


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
