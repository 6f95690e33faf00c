"""The record of what was done: one event for each act, linked to the one before it in its tenant's chain."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from mailhost.fields import UidField
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet, current_scope, subtree
from tenants.models import Tenant

DIGEST_LENGTH = 64


class ActorKind(models.TextChoices):
    USER = "user"
    KEY = "key"
    # A command, a periodic job, or work that an act left for later.
    TASK = "task"


def actor_kinds():
    return ActorKind.choices


class EventQuerySet(TenantQuerySet):
    def newest_first(self):
        return self.order_by("-pk")

    def listed(self):
        return self.select_related("tenant", "actor_tenant").newest_first()

    def matching(self, words: str):
        """The events whose act, person or thing has these words in it. Who acted from above the scope is told to nobody
        in it, so no part of their name finds anything either."""
        if not words:
            return self
        person, path = Q(actor__icontains=words), current_scope().path
        if path:
            person &= subtree("actor_tenant__path", path)
        return self.filter(Q(action__contains=words) | person | Q(object__icontains=words))

    def of_action(self, action: str):
        """The events of one act, or of every act of a kind: "mailboxes."."""
        return self.filter(action__startswith=action) if action.endswith(".") else self.filter(action=action)

    def between(self, since: datetime | None, until: datetime | None):
        """The events at `since` or later, and before `until`."""
        rows = self.filter(created_at__gte=since) if since else self
        return rows.filter(created_at__lt=until) if until else rows


class Event(TenantOwned):
    """One act, once written never changed: the database refuses UPDATE and DELETE (`audit.migrations`).

    It belongs to the tenant that owns what was acted on; `actor_tenant` is whose person or key it was. `sequence`
    counts a tenant's events from 1, `hash` follows from the event and from `previous`, the hash of the one before.
    `before` and `after` hold the columns that the act changed.
    """

    tenant_path = "tenant__path"
    outlives_tenant = True

    uid = UidField()
    # Without constraints: an INSERT would lock the tenants' rows after the chain, and the trail outlives both.
    tenant = models.ForeignKey(Tenant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    sequence = models.PositiveBigIntegerField()
    previous = models.CharField(max_length=DIGEST_LENGTH, db_collation="ascii_bin")
    hash = models.CharField(max_length=DIGEST_LENGTH, db_collation="ascii_bin")
    created_at = models.DateTimeField()
    action = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=10, choices=actor_kinds)
    actor = models.CharField(max_length=254)
    # Nullable for the JOIN alone: an event is shown although its actor's tenant is no more.
    actor_tenant = models.ForeignKey(
        Tenant, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    user_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField(null=True)
    impersonator = models.CharField(max_length=254, default="")
    impersonator_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, default="")
    request_id = models.CharField(max_length=64, default="")
    object_type = models.CharField(max_length=40, default="")
    object_uid = models.CharField(max_length=20, default="", db_collation="ascii_bin")
    object = models.CharField(max_length=300, default="")
    details = models.JSONField(default=dict)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    objects = TenantManager.with_methods_of(EventQuerySet)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="event_once_in_chain")]
        indexes = [
            models.Index(fields=["tenant", "id"], name="event_of_tenant"),
            models.Index(fields=["object_uid"], name="event_about_object"),
            models.Index(fields=["request_id"], name="event_of_request"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object}"


class Chain(TenantOwned):
    """Where a tenant's chain ends: how many events it has, and the hash of the last. Grows by one at a time."""

    tenant_path = "tenant__path"
    outlives_tenant = True

    tenant = models.OneToOneField(Tenant, models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+")
    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=DIGEST_LENGTH, db_collation="ascii_bin")

    def __str__(self) -> str:
        return f"{self.length} events of tenant {self.tenant_id}"
