"""Plans: what they grant, to whom they are sold, and that a changed plan changes nobody who has it."""

import pytest

from mailhost.errors import NotPermitted
from mailhost.scope import every_tenant, tenant_scope
from tenants import breaches
from tenants.limits import SUB_RESELLERS, limits_of, rates_along
from tenants.models import Kind
from tenants.operations import create_tenant
from tenants.plan_operations import (
    assign_plan,
    change_plan,
    create_plan,
    retire_plan,
    update_tenant,
    upgrade_tenants,
)
from tenants.plans import outdated_tenants
from tests.tenants.test_reserve import refusal
from tests.world import a_mailbox, fresh, verified_domain


@pytest.fixture
def small(world):
    """Rita's plan: two mailboxes, one domain."""
    return create_plan(world.as_rita, name="Small", limits={"mailboxes": 2, "domains": 1, "messages_per_hour": 50})


def held(tenant) -> dict[str, int]:
    """Return the limits that hold for a tenant."""
    return {name: limit for name, limit in limits_of(fresh(tenant)).items() if limit is not None}


def numbers(plan) -> list[int]:
    with every_tenant("a test looks"):
        return list(plan.versions.order_by("number").values_list("number", flat=True))


def test_a_customer_has_what_its_plan_grants(world, small):
    verified_domain(world.as_acme, "acme.example")

    acme = assign_plan(world.as_rita, tenant=world.acme, plan=small)

    assert held(acme) == {"mailboxes": 2, "domains": 1, "messages_per_hour": 50}
    for name in ("anna", "bert"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
    assert refusal(a_mailbox, world.as_acme, "carl@acme.example").code == "limit_reached"


def test_what_passes_counts_for_everybody_above_who_limits_it(world, small, django_assert_num_queries):
    pool = create_plan(world.as_operator, name="Pool", limits={"messages_per_hour": 80, "messages_per_day": 900})
    assign_plan(world.as_operator, tenant=world.rita, plan=pool)
    assign_plan(world.as_rita, tenant=world.acme, plan=small)

    with django_assert_num_queries(1):
        of_acme = rates_along(world.acme.path, "messages_per_hour", "messages_per_day")

    of_rita = (world.rita.pk, {"messages_per_hour": 80, "messages_per_day": 900})
    assert of_acme == [(world.acme.pk, {"messages_per_hour": 50}), of_rita]
    assert rates_along(world.bolt.path, "messages_per_day") == [(world.rita.pk, {"messages_per_day": 900})]
    assert rates_along(world.acme.path, "api_requests_per_minute") == []


def test_a_customer_is_created_with_a_plan(world, small):
    corvo = create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name="Corvo", plan=small)

    assert held(corvo)["mailboxes"] == 2


def test_a_changed_plan_changes_nobody_until_they_are_moved_to_it(world, small):
    assign_plan(world.as_rita, tenant=world.acme, plan=small)
    assign_plan(world.as_rita, tenant=world.bolt, plan=small)

    change_plan(world.as_rita, plan=small, limits={"mailboxes": 5, "domains": None})
    sold_before, sold_now = held(world.acme), held(assign_plan(world.as_rita, tenant=world.bolt, plan=small))
    with tenant_scope(world.rita.path):
        outdated = [tenant.name for tenant in outdated_tenants(small)]
    upgrade_tenants(world.as_rita, plan=small, tenants=[world.acme])

    assert sold_before == {"mailboxes": 2, "domains": 1, "messages_per_hour": 50}
    assert sold_now == {"mailboxes": 5, "messages_per_hour": 50}
    assert outdated == ["Acme"]
    assert held(world.acme) == sold_now
    assert numbers(small) == [1, 2]


def test_a_new_name_or_the_same_limits_make_no_version(world, small):
    change_plan(world.as_rita, plan=small, name="Little", limits={"mailboxes": 2})

    assert fresh(small).name == "Little"
    assert numbers(small) == [1]


def test_a_smaller_plan_than_what_is_in_use_is_taken_only_knowingly(world, small):
    verified_domain(world.as_acme, "acme.example")
    for name in ("anna", "bert", "carl"):
        a_mailbox(world.as_acme, f"{name}@acme.example")

    refused = refusal(assign_plan, world.as_rita, tenant=world.acme, plan=small)
    assign_plan(world.as_rita, tenant=world.acme, plan=small, accept_excess=True)

    assert (refused.code, refused.field) == ("limit_reached", "plan")
    assert "Acme would have 2 mailboxes, and 3 are in use." in refused.message
    assert refusal(a_mailbox, world.as_acme, "dora@acme.example").code == "limit_reached"


def test_a_reseller_sells_no_more_than_it_was_granted_times_its_factor(world, small):
    pool = create_plan(world.as_operator, name="Pool", limits={"mailboxes": 3})
    assign_plan(world.as_operator, tenant=world.rita, plan=pool)
    assign_plan(world.as_rita, tenant=world.acme, plan=small)

    oversold = refusal(assign_plan, world.as_rita, tenant=world.bolt, plan=small, accept_excess=True)
    update_tenant(world.as_operator, tenant=world.rita, oversell_percent=150)
    assign_plan(world.as_rita, tenant=world.bolt, plan=small)

    assert oversold.code == "oversold"
    assert "Rita may sell 3 mailboxes in all, and 4 would be sold." in oversold.message
    assert refusal(update_tenant, world.as_operator, tenant=world.rita, oversell_percent=100).code == "oversold"
    assert (
        refusal(create_tenant, world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name="Corvo", plan=small).code
        == "oversold"
    )


def test_what_customers_use_together_stays_within_the_grant_however_much_was_sold(world, small):
    pool = create_plan(world.as_operator, name="Pool", limits={"mailboxes": 3})
    assign_plan(world.as_operator, tenant=world.rita, plan=pool)
    update_tenant(world.as_operator, tenant=world.rita, oversell_percent=200)
    for tenant, actor in ((world.acme, world.as_acme), (world.bolt, world.as_bolt)):
        assign_plan(world.as_rita, tenant=tenant, plan=small)
        verified_domain(actor, f"{tenant.name.lower()}.example")
    for name in ("anna", "bert"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
    a_mailbox(world.as_bolt, "ben@bolt.example")

    assert refusal(a_mailbox, world.as_bolt, "bob@bolt.example").code == "limit_reached"


def test_the_preview_says_what_a_plan_would_break_and_changes_nothing(world, small):
    verified_domain(world.as_acme, "acme.example")
    for name in ("anna", "bert", "carl"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
    pool = create_plan(world.as_operator, name="Pool", limits={"mailboxes": 3, "domains": 0})
    assign_plan(world.as_operator, tenant=world.rita, plan=pool, accept_excess=True)

    with tenant_scope(world.rita.path):
        found = breaches.of_plans([fresh(world.acme)], small.present)

    assert [(breach.holder.name, breach.limit, breach.what, breach.most, breach.amount) for breach in found] == [
        ("Acme", "mailboxes", "in_use", 2, 3),
        ("Rita", "domains", "sold", 0, 1),
    ]
    assert held(world.acme) == {"mailboxes": 3, "domains": 0}


def test_who_is_told_of_a_providers_limit_learns_no_figure_of_it(world):
    nest = create_plan(world.as_operator, name="Nest", limits={"mailboxes": 5}, features=[SUB_RESELLERS])
    assign_plan(world.as_operator, tenant=world.rita, plan=nest)
    sub = create_tenant(world.as_rita, parent=world.rita, kind=Kind.RESELLER, name="Sub")
    shop = create_tenant(world.as_rita, parent=sub, kind=Kind.CUSTOMER, name="Shop")

    with tenant_scope(shop.path):
        breach = breaches.Breach(fresh(world.rita), "mailboxes", breaches.SOLD, 5, 9, is_own=False)
        assert str(breach) == "The account that provides yours has too few mailboxes left."


def test_resellers_below_a_reseller_are_a_feature_that_nobody_above_may_lack(world):
    def create(parent):
        return create_tenant(world.as_operator, parent=parent, kind=Kind.RESELLER, name="Sub")

    bare = create_plan(world.as_operator, name="Bare")
    nest = create_plan(world.as_operator, name="Nest", features=[SUB_RESELLERS])
    refused = [refusal(create, world.rita)]
    assign_plan(world.as_operator, tenant=world.rita, plan=bare)
    refused.append(refusal(create, world.rita))
    assign_plan(world.as_operator, tenant=world.rita, plan=nest)
    sub = create(world.rita)
    refused.append(refusal(create, sub))
    assign_plan(world.as_operator, tenant=sub, plan=nest)
    subsub = create(sub)
    assign_plan(world.as_operator, tenant=world.rita, plan=bare)
    refused.append(refusal(create, sub))

    assert [(each.code, each.field) for each in refused] == [("invalid_kind", "kind")] * 4
    assert subsub.path == f"{sub.path}{subsub.pk}/"


def test_a_plan_is_sold_by_those_above_and_chosen_by_nobody_for_themselves(world, small):
    with pytest.raises(NotPermitted):
        assign_plan(world.as_acme, tenant=world.acme, plan=small)
    top = create_plan(world.as_operator, name="Top")

    assert refusal(assign_plan, world.as_rita, tenant=world.rita, plan=small).code == "own_tenant"
    assert refusal(assign_plan, world.as_operator, tenant=world.rita, plan=small).code == "unknown_plan"
    assert refusal(assign_plan, world.as_rita, tenant=world.acme, plan=top).code == "unknown_plan"


def test_a_plan_chosen_from_above_is_not_changed_below(world, small):
    top = create_plan(world.as_operator, name="Top", limits={"mailboxes": 1})
    assign_plan(world.as_operator, tenant=world.acme, plan=top)

    assert refusal(assign_plan, world.as_rita, tenant=world.acme, plan=small).code == "plan_from_above"
    assign_plan(world.as_operator, tenant=world.acme, plan=None)
    assert held(assign_plan(world.as_rita, tenant=world.acme, plan=small))["mailboxes"] == 2


def test_a_retired_plan_is_kept_by_who_has_it_and_sold_no_more(world, small):
    assign_plan(world.as_rita, tenant=world.acme, plan=small)

    retire_plan(world.as_rita, plan=small)

    assert held(world.acme)["mailboxes"] == 2
    assert refusal(assign_plan, world.as_rita, tenant=world.bolt, plan=small).code == "unknown_plan"
    assert refusal(change_plan, world.as_rita, plan=small, name="Again").code == "not_found"
    create_plan(world.as_rita, name="Small")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": " "}, ("invalid_name", "name")),
        ({"name": "Small"}, ("taken", "name")),
        ({"limits": {"mailboxes": -1}}, ("invalid_limit", "limits.mailboxes")),
        ({"limits": {"sunshine": 1}}, ("invalid_limit", "limits.sunshine")),
        ({"features": ["flight"]}, ("invalid_feature", "features")),
    ],
    ids=str,
)
def test_a_plan_without_sense_is_refused(world, small, change, error):
    refused = refusal(create_plan, world.as_rita, **({"name": "Other"} | change))

    assert (refused.code, refused.field) == error


def test_a_plan_of_others_does_not_exist(world, small):
    other = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Other")

    assert refusal(change_plan, world.actor(other), plan=small, name="Mine").code == "not_found"
    assert refusal(retire_plan, world.actor(other), plan=small).code == "not_found"
