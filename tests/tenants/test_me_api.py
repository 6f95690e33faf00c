"""`GET /me`: who asks, what it may do, what its account may use and uses."""

import pytest

from accounts.actors import system_actor
from accounts.operations import create_api_key
from tenants.plan_operations import assign_plan, create_plan
from tests.apiside import Caller, make_cast
from tests.world import actor_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_a_key_reads_its_accounts_limits_and_use(cast):
    plan = create_plan(actor_of(cast.rita), name="Small", limits={"mailboxes": 5, "storage_mb": 2000})
    assign_plan(actor_of(cast.rita), tenant=cast.acme.tenant, plan=plan)
    caller, tenant = cast.acme.caller(), f"ten_{cast.acme.tenant.uid}"

    me = caller.read("/me")

    assert (me["object"], me["tenant_id"], me["tenant_kind"]) == ("me", tenant, "customer")
    limits = {limit.pop("name"): limit for limit in me["limits"]}
    assert limits["mailboxes"] == {"limited_to": 5, "used": 1, "remaining": 4}
    assert limits["storage_mb"] == {"limited_to": 2000, "used": 500, "remaining": 1500}
    assert limits["domains"] == {"limited_to": None, "used": 1, "remaining": None}
    assert me["usage"]["own"]["storage_mb"] == me["usage"]["total"]["storage_mb"] == 500
    assert me["limits"] == [
        {name: value for name, value in limit.items() if name != "name"}
        for limit in caller.read(f"/tenants/{tenant}/limits")["limits"]
    ]
    assert me["usage"] == {name: caller.read("/usage")[name] for name in ("own", "total")}


def test_a_providers_pool_is_told_to_nobody_below(cast):
    plan = create_plan(actor_of(cast.operator), name="Reseller", limits={"mailboxes": 100, "domains": 50})
    assign_plan(actor_of(cast.operator), tenant=cast.rita, plan=plan)

    limits = {limit["name"]: limit["limited_to"] for limit in cast.acme.caller().read("/me")["limits"]}

    assert (limits["mailboxes"], limits["domains"]) == (None, None)


def test_a_reseller_reads_its_own_use_and_that_of_all_below(cast):
    _, text = create_api_key(system_actor(cast.rita, "tests"), name="billing", scopes=["usage:read"])

    usage = Caller(text).read("/me")["usage"]

    assert (usage["own"]["mailboxes"], usage["total"]["mailboxes"]) == (0, 2)


def test_a_key_that_may_not_read_use_reads_none(cast):
    _, text = create_api_key(cast.acme.actor, name="shop", scopes=["domains:read"])

    me = Caller(text).read("/me")

    assert (me["scopes"], me["limits"], me["usage"]) == (["domains:read"], None, None)
