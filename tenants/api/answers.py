"""How tenants, plans and what would break stand in answers."""

from datetime import datetime
from typing import Any, Literal

from rest_framework import serializers

from mailhost.api.ids import public_id
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Whole
from tenants import breaches
from tenants.deletion_operations import restorable_until
from tenants.limits import LIMITS
from tenants.models import PlanVersion, Tenant, kinds, suspension_reasons
from tenants.operations import BLOCKS
from tenants.plan_operations import MAX_LIMIT
from tenants.references import PLAN_PREFIX, PREFIX


class OwnSuspensionAnswer(Answer):
    """A tenant's own suspension, as the tenant reads it."""

    reason = serializers.ChoiceField(choices=suspension_reasons(), source="suspension_reason")
    note = serializers.CharField(source="suspension_note")
    blocks = serializers.SerializerMethodField()
    since = serializers.DateTimeField(source="suspended_at", allow_null=True)

    def get_blocks(self, tenant: Tenant) -> list[str]:
        return [name for name in BLOCKS if getattr(tenant, f"blocks_{name}")]

    def to_representation(self, tenant: Tenant) -> dict[str, Any] | None:
        return super().to_representation(tenant) if tenant.is_suspended else None


class BoughtPlanAnswer(Answer):
    """The plan that a tenant has. `id` is null when whoever sells it is none of yours."""

    id = serializers.SerializerMethodField()
    name = serializers.CharField(source="plan.name")
    version = serializers.IntegerField(source="number")

    def get_id(self, version: PlanVersion) -> str | None:
        is_ours = version.plan.owner.path.startswith(self.context["root"])
        return public_id(PLAN_PREFIX, version.plan) if is_ours else None


class TenantAnswer(Answer):
    """A tenant. `parent_id` is null at the root of what the key may see. `suspension` is its own, null for none:
    it may be suspended with an account above it all the same, which `stopped` shows."""

    id = PublicId(PREFIX)
    object = ObjectName("tenant")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=kinds())
    parent_id = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    stopped = serializers.ListField(child=serializers.CharField())
    suspension = OwnSuspensionAnswer(source="*", allow_null=True)
    plan = BoughtPlanAnswer(source="plan_version", allow_null=True)
    oversell_percent = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    restorable_until = serializers.SerializerMethodField()

    def get_parent_id(self, tenant: Tenant) -> str | None:
        # Who is above the key's own tenant is not the tenant's to see.
        is_root = tenant.path == self.context["root"]
        return None if is_root else public_id(PREFIX, tenant.parent)

    def get_status(self, tenant: Tenant) -> Literal["active", "suspended", "deleted"]:
        if tenant.deleted_at:
            return "deleted"
        return "suspended" if tenant.stopped else "active"

    def get_restorable_until(self, tenant: Tenant) -> datetime | None:
        return restorable_until(tenant)


class LimitsShape(Shape):
    """Limits by name; null is no limit of the plan's own."""

    def get_fields(self) -> dict[str, Any]:
        return {name: Whole(required=False, allow_null=True, min_value=0, max_value=MAX_LIMIT) for name in LIMITS}


class LimitsAnswer(Answer):
    """Limits by name; null is no limit."""

    def get_fields(self) -> dict[str, Any]:
        return {name: serializers.IntegerField(allow_null=True) for name in LIMITS}


class PlanAnswer(Answer):
    """A plan as it is sold now. Who has bought an older `version` keeps its limits until upgraded."""

    id = PublicId(PLAN_PREFIX)
    object = ObjectName("plan")
    owner_id = PublicId(PREFIX, source="owner")
    name = serializers.CharField()
    version = serializers.IntegerField(source="present.number")
    limits = LimitsAnswer(source="present")
    features = serializers.ListField(child=serializers.CharField(), source="present.features")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class BreachAnswer(Answer):
    """One limit that would be broken: `amount` is what would be in use or sold of it. `tenant_id`, `limited_to` and
    `amount` are null where they are not yours to know. What is `acceptable` may be done all the same with
    `accept_excess`."""

    tenant_id = serializers.SerializerMethodField()
    limit = serializers.ChoiceField(choices=list(LIMITS))
    what = serializers.ChoiceField(choices=[breaches.IN_USE, breaches.SOLD])
    limited_to = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    acceptable = serializers.BooleanField(source="is_own")
    detail = serializers.SerializerMethodField()

    def get_detail(self, breach: breaches.Breach) -> str:
        return str(breach)

    def get_tenant_id(self, breach: breaches.Breach) -> str | None:
        return public_id(PREFIX, breach.holder) if breach.is_told else None

    def get_limited_to(self, breach: breaches.Breach) -> int | None:
        return breach.most if breach.is_told else None

    def get_amount(self, breach: breaches.Breach) -> int | None:
        return breach.amount if breach.is_told else None


class PreviewAnswer(Answer):
    """What an act would break, and of whom; nothing was changed."""

    object = ObjectName("preview")
    tenant_ids = serializers.ListField(child=serializers.CharField())
    breaches = BreachAnswer(many=True)


def preview(tenants: list[Tenant], found: list[breaches.Breach]) -> dict[str, Any]:
    """Return the answer of a preview about these tenants."""
    return PreviewAnswer({"tenant_ids": [public_id(PREFIX, each) for each in tenants], "breaches": found}).data
