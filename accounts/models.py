"""Who is asking: people, whom they invite and for whom they act, and API keys."""

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Case, F, When

from accounts.keys import brand
from mailhost.fields import ExactCharField, UidField, new_uid
from mailhost.recorded import Recorded
from mailhost.scope import TenantOwned
from tenants.models import Tenant, roles


class UserManager(BaseUserManager):
    def get_by_natural_key(self, username: str) -> "User":
        return self.get(email=username.strip().lower())


class User(AbstractBaseUser, Recorded):
    """A person. What they may do follows from their memberships, never from this row."""

    secret = frozenset({"password"})
    unrecorded = frozenset({"last_login", "language"})

    uid = UidField()
    email = ExactCharField(max_length=254, unique=True)
    name = models.CharField(max_length=120, default="")
    # What pages speak; "" for what the browser asks for.
    language = models.CharField(max_length=10, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    def __str__(self) -> str:
        return self.email


class Invitation(TenantOwned):
    """An address asked to become a member. The link that accepts is made of `nonce` and SECRET_KEY
    (`accounts.invitations`), so that the table alone opens nothing."""

    tenant_path = "tenant__path"

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="invitations")
    email = ExactCharField(max_length=254)
    role = models.CharField(max_length=20, choices=roles)
    invited_by = models.CharField(max_length=254)
    nonce = UidField(default=new_uid)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # One open invitation for an address in a tenant: MariaDB drops a unique constraint with a condition.
    open_email = models.GeneratedField(
        expression=Case(When(accepted_at=None, revoked_at=None, then=F("email")), default=None),
        output_field=ExactCharField(max_length=254, null=True),
        db_persist=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "open_email"], name="invitation_once")]

    def __str__(self) -> str:
        return f"{self.email} ({self.role}) to {self.tenant}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


class Impersonation(TenantOwned):
    """A person from above acting as a member of a tenant; the tenant's people see these rows."""

    tenant_path = "tenant__path"

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="impersonations")
    user = models.ForeignKey(User, models.CASCADE, related_name="impersonations")
    impersonator = models.ForeignKey(User, models.CASCADE, related_name="impersonations_made")
    # From where, in words: the tenant that the impersonator belongs to.
    impersonator_tenant = models.CharField(max_length=120)
    reason = models.CharField(max_length=500)
    address = models.CharField(max_length=45, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "started_at"], name="impersonation_of_tenant")]

    def __str__(self) -> str:
        return f"{self.impersonator} as {self.user} at {self.tenant}"

    def is_running(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.ends_at


class ApiKey(TenantOwned):
    """A bearer key of a tenant. Only a digest of its secret is kept (`accounts.keys`)."""

    tenant_path = "tenant__path"
    secret = frozenset({"digest"})
    unrecorded = frozenset({"domains", "last_used_at", "last_used_address"})

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=20, unique=True, db_collation="ascii_bin")
    digest = models.CharField(max_length=64, db_collation="ascii_bin")
    # What is in reach is the subtree below this tenant; the key's own unless it was bound to one below.
    bound_to = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+")
    # Who has made it for a tenant below: the key is worthless once that tenant has gone to somebody else.
    made_by = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+")
    scopes = models.JSONField(default=list)
    # [{"id", "uid", "name"}], which never change, so that no lookup is needed where the key is used or shown.
    domains = models.JSONField(default=list)
    networks = models.JSONField(default=list)
    is_test = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_address = models.CharField(max_length=45, default="")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def root(self) -> Tenant:
        """The tenant whose subtree the key reaches."""
        return self.bound_to or self.tenant

    @property
    def beginning(self) -> str:
        """How its text begins."""
        return f"{brand(is_test=self.is_test)}_{self.prefix}"
