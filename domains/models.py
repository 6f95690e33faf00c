"""Domains, as Postfix reads them: the table is `mail_domains`."""

import secrets

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from domains.names import MAX_NAME
from domains.proof import CHALLENGE_HOLDS
from mailhost.fields import ExactCharField, UidField
from mailhost.said import from_kept
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet
from tenants.locks import Standing
from tenants.models import Tenant


def new_challenge() -> str:
    """Return the token of one claim: 160 random bits, so that nobody guesses another tenant's."""
    return secrets.token_hex(20)


def new_expiry():
    """Return when a token made now ceases to prove anything that is not proven yet."""
    return timezone.now() + CHALLENGE_HOLDS


class DomainQuerySet(TenantQuerySet):
    def live(self):
        return self.filter(deleted_at=None)

    def tended(self):
        """Those that the clock looks after. A deleted tenant's rest as they are until it is restored or purged."""
        return self.live().filter(tenant__deleted_at=None).select_related("tenant")

    def with_own_addresses(self):
        """The proven ones that are no alias domains: addresses are made in them, and alias domains follow them."""
        return self.live().filter(alias_of=None, verified_at__isnull=False).order_by("domain_name", "pk")

    def listed(self):
        """What lists show, in their order, with what a row says about itself."""
        return self.live().select_related("tenant", "alias_of").order_by("domain_name", "pk")


class Domain(TenantOwned):
    """A tenant's claim to a domain name, and the domain once the claim is proven.

    `is_verified` and `is_active` are what daemons read: they follow from the proof (`verified_at`), the own switch
    (`is_enabled`) and every tenant above, and are written by `domains.effective` alone.

    `proof_lapsed_at`: since when the proof of a proven domain is gone. `contested_at`: when this claim showed proof of
    a name that another tenant holds. `lost_at`: when the grace ended and the proof was withdrawn.
    """

    tenant_path = "tenant__path"
    domain_path = "pk"
    unrecorded = frozenset({"is_verified", "is_active"})
    # How the tenant stands, once the domain is locked (`domains.locks`).
    owner: Standing

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="domains")
    domain_name = ExactCharField(max_length=MAX_NAME)
    alias_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="alias_domains")
    challenge = models.CharField(max_length=40, default=new_challenge, db_collation="ascii_bin")
    challenge_expires_at = models.DateTimeField(default=new_expiry)
    verified_at = models.DateTimeField(null=True)
    proof_checked_at = models.DateTimeField(null=True)
    proof_lapsed_at = models.DateTimeField(null=True, db_index=True)
    contested_at = models.DateTimeField(null=True, db_index=True)
    lost_at = models.DateTimeField(null=True)
    is_enabled = models.BooleanField(default=True)
    # The size of a new mailbox that is made without one, in MB; NULL: each says its own.
    default_quota_mb = models.PositiveIntegerField(null=True)
    # Whether mail for anna+news@ is anna@'s; an alias domain's is what its main domain's is.
    plus_addressing = models.BooleanField(default=True, db_default=True)
    is_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    # MariaDB drops conditional unique constraints without a word, so what must be unique is a column of its own.
    is_live = models.GeneratedField(
        expression=Case(When(deleted_at=None, then=1), default=None),
        output_field=models.PositiveSmallIntegerField(null=True),
        db_persist=True,
    )
    owned_name = models.GeneratedField(
        expression=Case(When(Q(deleted_at=None, verified_at__isnull=False), then=F("domain_name")), default=None),
        output_field=ExactCharField(max_length=MAX_NAME, null=True),
        db_persist=True,
    )

    objects = TenantManager.with_methods_of(DomainQuerySet)

    class Meta:
        db_table = "mail_domains"
        constraints = [
            models.UniqueConstraint(fields=["owned_name"], name="domain_one_owner"),
            models.UniqueConstraint(fields=["domain_name", "is_live", "tenant"], name="domain_one_claim"),
            # What a mailbox points at: a domain together with its tenant.
            models.UniqueConstraint(fields=["id", "tenant"], name="domain_of_tenant"),
            models.CheckConstraint(
                condition=Q(domain_name__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"),
                name="domain_name_a_label",
            ),
            models.CheckConstraint(condition=~Q(default_quota_mb=0), name="domain_default_quota_above_zero"),
        ]
        indexes = [models.Index(fields=["tenant", "is_live", "domain_name"], name="domain_list_of_tenant")]

    def __str__(self) -> str:
        return self.domain_name

    @property
    def has_proof(self) -> bool:
        return self.verified_at is not None

    @property
    def owner_path(self) -> str:
        return self.owner.path

    @property
    def is_frozen(self) -> bool:
        """Whether changes wait until its proof is found again."""
        return self.has_proof and self.proof_lapsed_at is not None


class DomainConsent(TenantOwned):
    """The owner of a proven domain agrees that another tenant may prove a name above or below it."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="consents")
    name = ExactCharField(max_length=MAX_NAME)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="domain_consent_once")]

    def __str__(self) -> str:
        return f"{self.name} beside {self.domain}"


class NoticeQuerySet(TenantQuerySet):
    def newest_first(self):
        return self.order_by("-pk")


class DomainNotice(TenantOwned):
    """Something about a domain that its tenant is told: on its page, by mail, and as an event."""

    tenant_path = "domain__tenant__path"
    domain_path = "domain"

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="notices")
    event = models.CharField(max_length=40)
    text = models.CharField(max_length=1000)
    said = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    mailed_at = models.DateTimeField(null=True)

    objects = TenantManager.with_methods_of(NoticeQuerySet)

    class Meta:
        indexes = [models.Index(fields=["domain", "id"], name="notice_of_domain")]

    def __str__(self) -> str:
        return f"{self.event} {self.domain}"

    @property
    def text_here(self) -> str:
        """What is told, in the language of who reads it; rows of an older release know English alone."""
        return from_kept(self.said).translated or self.text
