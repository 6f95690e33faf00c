"""What DNS shows of a mail host itself."""

from django.db import models

from dns.models.records import ExpectedRow
from mailhost.fields import ExactCharField


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
