"""Long work on plans (longwork.works)."""

from longwork.works import Run
from tenants.api.plans import named_tenants, upgrade_shown
from tenants.plan_operations import upgrade_tenants
from tenants.references import find_plan


def upgrade(run: Run, *, plan: str, tenant_ids: list[str] | None, accept_excess: bool) -> None:
    """Move tenants to a plan's present version: all that are meant, or none."""
    row = find_plan(plan)
    moved = upgrade_tenants(
        run.actor, plan=row, tenants=named_tenants(row, tenant_ids, most=None), accept_excess=accept_excess
    )
    run.result = upgrade_shown(row, moved)
