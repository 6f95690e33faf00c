"""The tree that owns everything: tenants, their members, and the record of what was done."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mailhost.fields import UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet


class Kind(models.TextChoices):
    OPERATOR = "operator"
    RESELLER = "reseller"
    CUSTOMER = "customer"


def kinds():
    return Kind.choices


class Tenant(TenantOwned):
    """A node of the tree. `path` is the ids from the root down ("/1/5/"), so that a subtree is one index range.

    The `blocks_…` switches are this tenant's own suspension; the `may_…` flags follow from them and from every
    tenant above, and are written by `tenants.effective` alone.
    """

    tenant_path = "path"

    uid = UidField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=700, unique=True, db_collation="ascii_bin")
    kind = models.CharField(max_length=20, choices=kinds)
    name = models.CharField(max_length=120)
    blocks_sign_in = models.BooleanField(default=False)
    blocks_sending = models.BooleanField(default=False)
    blocks_receiving = models.BooleanField(default=False)
    # The path of the tenant that suspended: nobody below it may lift or rewrite that.
    suspended_by_path = models.CharField(max_length=700, null=True, db_collation="ascii_bin")  # noqa: DJ001 - nobody
    suspension_reason = models.CharField(max_length=500, default="", blank=True)
    may_sign_in = models.BooleanField(default=True)
    may_send = models.BooleanField(default=True)
    may_receive = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.blocks_sign_in or self.blocks_sending or self.blocks_receiving


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MAIL_MANAGER = "mail_manager"
    SUPPORT = "support"
    BILLING = "billing"
    READ_ONLY = "read_only"


def roles():
    return Role.choices


class Member(TenantOwned):
    """A person's place in a tenant."""

    tenant_path = "tenant__path"

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=roles)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role}) at {self.tenant}"


class AuditQuerySet(TenantQuerySet):
    def newest_first(self):
        return self.order_by("-pk")

    def matching(self, words: str):
        return self.filter(Q(action__contains=words) | Q(actor__contains=words)) if words else self


class AuditRecord(TenantOwned):
    """One act, once written never changed. `details` are the act's arguments without secrets."""

    tenant_path = "tenant__path"

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="audit_records")
    action = models.CharField(max_length=80)
    actor = models.CharField(max_length=254)
    user_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, default="")
    object = models.CharField(max_length=300, default="")
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager.with_methods_of(AuditQuerySet)

    class Meta:
        indexes = [models.Index(fields=["tenant", "id"], name="audit_of_tenant")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object}"
