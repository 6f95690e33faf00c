"""Who is told of what: endpoints of tenants, what they are told, and how each telling went."""

from django.db import models

from mailhost.fields import UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet
from tenants.models import Tenant


class State(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def states():
    return State.choices


class Endpoint(TenantOwned):
    """An address of a tenant's that is told what happens in its subtree. `types` empty: everything.

    `secret` is encrypted (`webhooks.signing`); while `former_until` has not passed, `former_secret` signs too.
    """

    tenant_path = "tenant__path"
    secret = frozenset({"signing_secret", "former_secret"})

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=1000)
    description = models.CharField(max_length=120, default="")
    types = models.JSONField(default=list)
    signing_secret = models.CharField(max_length=300)
    former_secret = models.CharField(max_length=300, default="")
    former_until = models.DateTimeField(null=True)
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.url

    def wants(self, event_type: str) -> bool:
        return not self.types or event_type in self.types


class Message(TenantOwned):
    """What is told, to the letter: `body` is signed and sent as it stands."""

    tenant_path = "tenant__path"

    uid = UidField()
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    type = models.CharField(max_length=60)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="message_age")]

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"


class DeliveryQuerySet(TenantQuerySet):
    def listed(self):
        return self.select_related("message", "endpoint__tenant").order_by("-pk")


class Delivery(TenantOwned):
    """One message on its way to one endpoint. `log` holds each attempt: when, how long, and what came back."""

    tenant_path = "endpoint__tenant__path"

    uid = UidField()
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=states, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    log = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager.with_methods_of(DeliveryQuerySet)

    class Meta:
        indexes = [
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["endpoint", "id"], name="delivery_of_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.message.type} to {self.endpoint}"
