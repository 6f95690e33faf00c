"""What tenants use, and what they may."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.api.answers import BoughtPlanAnswer
from tenants.limits import LIMITS
from tenants.models import Tenant
from tenants.references import PREFIX, find_tenant
from tenants.usage import COLUMNS, SENT, limits_with_use, present_use_of, usage_of

FIGURES = (*(name.removeprefix("used_") for name in COLUMNS), *SENT)


class FiguresAnswer(Answer):
    """How much of each; `stored_bytes` and `stored_messages` as Dovecot counted them, some minutes old. What was sent
    counts once for each recipient, by days and months in UTC."""

    def get_fields(self) -> dict[str, Any]:
        return {name: serializers.IntegerField() for name in FIGURES}


class UsageAnswer(Answer):
    """What a tenant uses: `own` itself, `total` together with everybody below it."""

    object = ObjectName("usage")
    tenant_id = PublicId(PREFIX, source="tenant")
    own = FiguresAnswer(source="usage.own")
    total = FiguresAnswer(source="usage.total")


class LimitAnswer(Answer):
    """`limited_to` is the least that holds for the tenant, as far as it is yours to know; null is no limit. `used` is
    the tenant's with everybody below it, of messages in the present hour or on this day, in UTC; null where nothing is
    counted."""

    name = serializers.ChoiceField(choices=list(LIMITS))
    limited_to = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)


class LimitsOfTenantAnswer(Answer):
    object = ObjectName("limits")
    tenant_id = PublicId(PREFIX, source="tenant")
    plan = BoughtPlanAnswer(source="tenant.plan_version", allow_null=True)
    oversell_percent = serializers.IntegerField(source="tenant.oversell_percent")
    limits = LimitAnswer(many=True)


class OwnUsage(Endpoint):
    """What the key's own tenant uses."""

    actions = {"GET": "usage.list"}

    @describe("get_usage", "Show what you use", answer=UsageAnswer)
    def get(self, request: Request) -> Response:
        return Response(shown_usage(request.auth.root))


class TenantUsage(Endpoint):
    """What one tenant uses."""

    actions = {"GET": "usage.list"}

    @describe("get_tenant_usage", "Show what a tenant uses", answer=UsageAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        return Response(shown_usage(find_tenant(tenant)))


class TenantLimits(Endpoint):
    """What one tenant may use, and how much of it is left."""

    actions = {"GET": "usage.list"}

    @describe("get_tenant_limits", "Show a tenant's limits", answer=LimitsOfTenantAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        row = find_tenant(tenant)
        shown = {"tenant": row, "limits": limits_with_use(row, present_use_of(row))}
        return Response(LimitsOfTenantAnswer(shown, context={"root": request.actor.tenant_path}).data)


def shown_usage(tenant: Tenant) -> dict[str, Any]:
    return UsageAnswer({"tenant": tenant, "usage": usage_of(tenant)}).data
