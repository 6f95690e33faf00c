"""Work that takes longer than a request: what was asked, how far it is, and what came of it."""

from dataclasses import asdict
from typing import Any

from django.db import models

from mailhost.actor import Actor
from mailhost.fields import UidField
from mailhost.request_id import MAX_LENGTH as REQUEST_ID_LENGTH
from mailhost.said import from_kept
from mailhost.scope import TenantManager, TenantOwned, TenantQuerySet


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = [State.QUEUED, State.RUNNING]


def states():
    return State.choices


class LongWorkQuerySet(TenantQuerySet):
    def open(self):
        return self.filter(state__in=OPEN)

    def seen_by(self, actor: Actor):
        """Return what the actor may read: all of its tenants', or what it has asked for itself."""
        if actor.may("operations.list") and actor.domain_ids is None:
            return self
        return self.filter(key_id=actor.key_id) if actor.key_id else self.filter(user_id=actor.user_id)


class LongWork(TenantOwned):
    """One piece of long work; the API calls it an operation.

    `work` is the dotted name of the function that does a step, `sealed_arguments` what it is told: encrypted, because
    it may hold passwords, and emptied at the end. `asker` is the actor as it was when the work was accepted.
    `position` is the work's own memory from step to step. `errors` are those of single rows, `fault` what ended it.
    """

    tenant_path = "tenant__path"
    secret = frozenset({"sealed_arguments"})

    uid = UidField()
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60, db_collation="ascii_bin")
    work = models.CharField(max_length=120)
    sealed_arguments = models.TextField()
    asker = models.JSONField()
    user_id = models.BigIntegerField(null=True)
    key_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=states, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    position = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    errors = models.JSONField(default=list)
    fault = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    request_id = models.CharField(max_length=REQUEST_ID_LENGTH, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = TenantManager.with_methods_of(LongWorkQuerySet)

    class Meta:
        db_table = "long_works"
        indexes = [
            models.Index(fields=["tenant", "id"], name="long_work_of_tenant"),
            models.Index(fields=["finished_at"], name="long_work_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def is_finished(self) -> bool:
        return self.state not in OPEN

    @property
    def fault_here(self) -> str:
        """Return what ended it, in the language of who reads; "" when nothing did."""
        return error_here(self.fault) if self.fault else ""

    @property
    def actor(self) -> Actor:
        """Return who asked, with the rights they had then, where its tenant is now."""
        kept: dict[str, Any] = dict(self.asker)
        kept["permissions"] = frozenset(kept["permissions"])
        if kept["domain_ids"] is not None:
            kept["domain_ids"] = frozenset(kept["domain_ids"])
        return Actor(**{**kept, "tenant_path": self.tenant.path})


def error_here(error: dict[str, Any]) -> str:
    """Return what an error of `errors`, or `fault`, says, in the language of who reads."""
    return from_kept(error.get("said", {})).translated or error["detail"]


def asker_of(actor: Actor) -> dict[str, Any]:
    """Return an actor as JSON holds it."""
    kept = asdict(actor)
    # Of requests, not of work.
    del kept["api_rates"]
    kept["permissions"] = sorted(actor.permissions)
    kept["domain_ids"] = None if actor.domain_ids is None else sorted(actor.domain_ids)
    return kept
