"""What a domain has chosen for its records."""

from django.db import models

from dns.bimi import MAX_URL
from dns.mta_sts import Mode
from domains.models import Domain
from mailhost.scope import TenantOwned


def mta_sts_modes():
    return Mode.choices


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
