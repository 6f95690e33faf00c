"""The keys that sign a domain's mail."""

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from domains.models import Domain
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet


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
