"""Plans over REST."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from longwork.api import accepted, is_long
from longwork.works import begin
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.lists import Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Shape, Switch, Text
from tenants import breaches
from tenants.api.answers import LimitsShape, PlanAnswer, PreviewAnswer, preview
from tenants.locks import lock_branch
from tenants.models import Plan, Tenant
from tenants.plan_operations import change_plan, create_plan, retire_plan, upgrade_tenants
from tenants.plans import outdated_tenants
from tenants.references import find_plan, listed_plans, tenant_of_body

UPGRADE = "tenants.works.upgrade"
# So many tenants are moved to a plan's present version at once.
MOST_TENANTS = 1000
LISTING = Listing(
    orders={"name": ("name", "pk"), "created_at": ("pk",)},
    search=lambda rows, words: rows.filter(name__icontains=words),
    searched="its name",
)


class NewPlan(Shape):
    """A limit that is not named is none. `features`: what the plan switches on, such as sub_resellers."""

    name = Text()
    limits = LimitsShape(required=False)
    features = serializers.ListField(child=Text(), required=False, max_length=50)


class PlanChange(Shape):
    """Limits that are not named stay. Other limits or features make a new version."""

    name = Text(required=False)
    limits = LimitsShape(required=False)
    features = serializers.ListField(child=Text(), required=False, max_length=50)


class Upgrade(Shape):
    """`tenant_ids`: whom to move to the present version; without it everybody who has an older one, 1,000 at most
    unless the request prefers `respond-async`."""

    tenant_ids = serializers.ListField(child=Text(), required=False, min_length=1, max_length=MOST_TENANTS)
    accept_excess = Switch(required=False)


class UpgradeQuestion(Shape):
    tenant_ids = serializers.ListField(child=Text(), required=False, min_length=1, max_length=MOST_TENANTS)


class Plans(Endpoint):
    """The plans that a tenant, and the resellers below it, sell."""

    actions = {"GET": "plans.list", "POST": create_plan.action}
    listing = LISTING

    @describe("list_plans", "List plans", answer=PlanAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(listed_plans, PlanAnswer)

    @describe("create_plan", "Create a plan", body=NewPlan, answer=PlanAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        return created(PlanAnswer(create_plan(request.actor, **self.body(NewPlan))), "api-plan")


class OfPlan(Endpoint):
    """What changes one plan does so under the lock of its owner."""

    def lock(self, request: Request, plan: str) -> None:
        lock_branch(find_plan(plan).owner)


class OnePlan(OfPlan):
    """One plan, by id."""

    actions = {"GET": "plans.list", "PATCH": change_plan.action, "DELETE": retire_plan.action}

    @describe("get_plan", "Show a plan", answer=PlanAnswer, names_object=True)
    def get(self, request: Request, plan: str) -> Response:
        return Response(PlanAnswer(find_plan(plan)).data)

    @describe("update_plan", "Change a plan", body=PlanChange, answer=PlanAnswer, names_object=True, changes=True)
    def patch(self, request: Request, plan: str) -> Response:
        row = find_plan(plan)
        change_plan(request.actor, plan=row, **self.body(PlanChange))
        return Response(PlanAnswer(find_plan(plan)).data)

    @describe("delete_plan", "Sell a plan no longer; who has it keeps it", status=204, names_object=True, changes=True)
    def delete(self, request: Request, plan: str) -> Response:
        retire_plan(request.actor, plan=find_plan(plan))
        return gone()


class PlanUpgrade(OfPlan):
    """Moves tenants to the present version of their plan: all that are named, or none."""

    actions = {"POST": upgrade_tenants.action}
    shows = OnePlan
    body_names = {"tenants": "tenant_ids", "plan": "tenant_ids"}

    @describe(
        "upgrade_tenants", "Move tenants to a plan's present version", body=Upgrade, answer=PreviewAnswer,
        names_object=True, changes=True, long=True,
    )  # fmt: skip
    def post(self, request: Request, plan: str) -> Response:
        row = find_plan(plan)
        wanted = self.body(Upgrade)
        references, accept_excess = wanted.get("tenant_ids"), wanted.get("accept_excess", False)
        if is_long(request):
            named = {"plan": plan, "tenant_ids": references, "accept_excess": accept_excess}
            return accepted(request, begin(request.actor, UPGRADE, kind="plans.upgrade", **named))
        tenants = named_tenants(row, references)
        moved = upgrade_tenants(request.actor, plan=row, tenants=tenants, accept_excess=accept_excess)
        return Response(upgrade_shown(row, moved))


class PlanPreview(Endpoint):
    """Says which limits a plan's present version would break for those who have an older one."""

    actions = {"POST": upgrade_tenants.action}

    @describe(
        "preview_plan", "Preview moving tenants to a plan's present version", body=UpgradeQuestion,
        answer=PreviewAnswer, names_object=True, changes=True,
    )  # fmt: skip
    def post(self, request: Request, plan: str) -> Response:
        row = find_plan(plan)
        tenants = named_tenants(row, self.body(UpgradeQuestion).get("tenant_ids"))
        return Response(preview(tenants, breaches.of_plans(tenants, row.present)))


def upgrade_shown(plan: Plan, moved: list[Tenant]) -> dict[str, Any]:
    return preview(moved, breaches.of_plans(moved, plan.present))


def named_tenants(plan: Plan, references: list[str] | None, most: int | None = MOST_TENANTS) -> list[Tenant]:
    """Return the tenants that a body names, or those that have an older version of the plan, `most` or all."""
    if references is None:
        return list(outdated_tenants(plan)[:most])
    return [tenant_of_body(reference, "tenant_ids") for reference in references]
