"""`mailhostctl plan …`: what the operator sells."""

from typing import Any

from accounts.management.who import acting
from mailhost.errors import Refused
from mailhost.management.noun import Noun, verb
from mailhost.scope import every_tenant
from tenants.models import Plan
from tenants.plan_operations import create_plan
from tenants.plans import live_plans


class Command(Noun):
    help = "The operator's plans."

    @verb("List every plan that is sold.")
    def list_(self) -> list[dict[str, Any]]:
        with every_tenant("a command lists the plans of all"):
            return [shown(plan) for plan in live_plans().select_related("owner")]

    @verb(
        "Create a plan of the operator's.",
        name={},
        limit={
            "action": "append",
            "metavar": "NAME=NUMBER",
            "help": "for example domains=10; what is not named is not limited",
        },
        feature={"action": "append", "help": "one feature of the plan"},
    )
    def create(self, name: str, limit: list[str] | None, feature: list[str] | None) -> dict[str, Any]:
        limits = dict(_limit(text) for text in limit or [])
        return shown(create_plan(acting("plan create"), name=name, limits=limits, features=feature or []))


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isascii() or not number.isdigit():
        raise Refused("invalid_limit", "limit", f"{text} is no limit, such as domains=10.")
    return name, int(number)


def shown(plan: Plan) -> dict[str, Any]:
    return {"id": f"pln_{plan.uid}", "name": plan.name, "owner": plan.owner.name}
