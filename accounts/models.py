"""Who is asking: people and API keys."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from mailhost.fields import ExactCharField, UidField
from mailhost.recorded import Recorded
from mailhost.scope import TenantOwned
from tenants.models import Role, Tenant, roles


class UserManager(BaseUserManager):
    def get_by_natural_key(self, username: str) -> "User":
        return self.get(email=username.strip().lower())


class User(AbstractBaseUser, Recorded):
    """A person. What they may do follows from their memberships, never from this row."""

    secret = frozenset({"password"})
    unrecorded = frozenset({"last_login"})

    uid = UidField()
    email = ExactCharField(max_length=254, unique=True)
    name = models.CharField(max_length=120, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    def __str__(self) -> str:
        return self.email


class ApiKey(TenantOwned):
    """A bearer key of a tenant. Only a digest of its secret is kept (`accounts.keys`)."""

    tenant_path = "tenant__path"
    secret = frozenset({"digest"})
    unrecorded = frozenset({"last_used_at"})

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=20, unique=True, db_collation="ascii_bin")
    digest = models.CharField(max_length=64, db_collation="ascii_bin")
    role = models.CharField(max_length=20, choices=roles, default=Role.ADMIN)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
