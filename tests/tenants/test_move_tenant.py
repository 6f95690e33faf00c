"""A tenant moves with all it has, and what holds at the new place holds for it."""

import pytest

from mailhost.scope import every_tenant, tenant_scope
from tenants import breaches
from tenants.limits import SUB_RESELLERS
from tenants.models import Kind
from tenants.move_operations import move_tenant
from tenants.operations import create_tenant, resume_tenant, suspend_tenant
from tenants.plan_operations import assign_plan, create_plan
from tests.tenants.test_reserve import refusal, used
from tests.together import at_once
from tests.world import a_mailbox, actor_of, fresh, make_world, verified_domain


@pytest.fixture
def sela(world):
    """Another reseller."""
    return create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Sela")


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    return a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=100)


def test_a_customer_with_all_it_has_belongs_to_the_new_reseller(world, sela, anna):
    moved = move_tenant(world.as_operator, tenant=world.acme, parent=sela)

    assert moved.path == f"{sela.path}{world.acme.pk}/"
    assert used(world.rita) == {"sub_tenants": 1}
    assert used(sela) == {"sub_tenants": 1, "domains": 1, "mailboxes": 1, "storage_mb": 100}
    with tenant_scope(sela.path):
        assert [tenant.name for tenant in type(moved).objects.order_by("pk")] == ["Acme", "Sela"]
    a_mailbox(actor_of(moved), "bert@acme.example")
    assert used(sela)["mailboxes"] == 2


def test_everybody_below_moves_along(world, sela, anna):
    nest = create_plan(world.as_operator, name="Nest", features=[SUB_RESELLERS])
    assign_plan(world.as_operator, tenant=sela, plan=nest)

    move_tenant(world.as_operator, tenant=world.rita, parent=sela)

    assert fresh(world.bolt).path == f"{sela.path}{world.rita.pk}/{world.bolt.pk}/"
    assert used(sela)["sub_tenants"] == 3


def test_what_is_blocked_above_the_new_place_holds_and_what_was_above_the_old_no_more(world, sela, anna):
    suspend_tenant(world.as_operator, tenant=sela, blocks=["receiving"], reason="unpaid")
    suspend_tenant(world.as_operator, tenant=world.rita, blocks=["sending"], reason="spam")

    move_tenant(world.as_operator, tenant=world.acme, parent=sela)

    assert (fresh(anna).may_receive, fresh(anna).may_smtp) == (False, True)


def test_an_own_suspension_goes_along_and_the_new_provider_may_lift_it(world, sela, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")

    moved = move_tenant(world.as_operator, tenant=world.acme, parent=sela)
    stopped = fresh(anna).may_smtp
    resume_tenant(actor_of(sela), tenant=moved)

    assert (stopped, fresh(anna).may_smtp) == (False, True)


def test_a_suspension_from_within_the_moved_branch_names_its_suspender_at_the_new_place(world, sela, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid")
    nest = create_plan(world.as_operator, name="Nest", features=[SUB_RESELLERS])
    assign_plan(world.as_operator, tenant=sela, plan=nest)

    move_tenant(world.as_operator, tenant=world.rita, parent=sela)

    assert fresh(world.acme).suspended_by_path == fresh(world.rita).path


def test_the_preview_names_what_the_act_refuses(world, sela, anna):
    full = create_plan(world.as_operator, name="Full", limits={"mailboxes": 0, "storage_mb": 100, "domains": 5})
    small = create_plan(world.as_rita, name="Small", limits={"domains": 6})
    assign_plan(world.as_operator, tenant=sela, plan=full)
    assign_plan(world.as_rita, tenant=world.acme, plan=small)

    with tenant_scope(world.operator.path):
        found = breaches.of_move(fresh(world.acme), sela)
    refused = refusal(move_tenant, world.as_operator, tenant=world.acme, parent=sela)

    assert [(breach.holder.name, breach.limit, breach.what, breach.most, breach.amount) for breach in found] == [
        ("Sela", "mailboxes", "in_use", 0, 1),
        ("Sela", "domains", "sold", 5, 6),
    ]
    assert (refused.code, refused.field) == ("limit_reached", "parent")
    assert fresh(world.acme).parent_id == world.rita.pk
    assert used(world.rita)["mailboxes"] == 1


@pytest.mark.parametrize(
    ("tenant", "parent", "code"),
    [
        ("rita", "acme", "invalid_parent"),
        ("rita", "rita", "invalid_parent"),
        ("acme", "rita", "invalid_parent"),
        ("operator", "rita", "own_tenant"),
        ("acme", "bolt", "invalid_kind"),
        ("sela", "rita", "invalid_kind"),
    ],
)
def test_a_tree_stays_a_tree(world, sela, tenant, parent, code):
    places = {"sela": sela, **{name: getattr(world, name) for name in ("operator", "rita", "acme", "bolt")}}

    assert refusal(move_tenant, world.as_operator, tenant=places[tenant], parent=places[parent]).code == code


def test_a_reseller_moves_nobody_into_or_out_of_its_branch(world, sela):
    assert refusal(move_tenant, world.as_rita, tenant=world.acme, parent=sela).code == "not_found"
    assert refusal(move_tenant, actor_of(sela), tenant=world.acme, parent=sela).code == "not_found"


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle_and_lose_no_mailbox():
    world = make_world()
    root = world.as_operator
    nest = create_plan(root, name="Nest", features=[SUB_RESELLERS])
    resellers = [
        create_tenant(root, parent=world.operator, kind=Kind.RESELLER, name=f"R{n}", plan=nest) for n in (1, 2)
    ]
    verified_domain(world.as_acme, "acme.example")

    for number in range(4):
        one, two = (fresh(each) for each in resellers)
        outcomes = at_once(
            lambda one=one, two=two: move_tenant(root, tenant=one, parent=two),
            lambda one=one, two=two: move_tenant(root, tenant=two, parent=one),
            lambda one=one: move_tenant(root, tenant=world.acme, parent=one),
            lambda number=number: a_mailbox(root, f"m{number}@acme.example"),
        )
        one, two, acme = (fresh(each) for each in (*resellers, world.acme))
        assert sorted(outcomes[:2]) == ["done", "invalid_parent"]
        assert outcomes[3] == "done"
        for tenant in (one, two, acme):
            assert tenant.path == f"{fresh(tenant.parent).path}{tenant.pk}/"
            with every_tenant("a test looks"):
                assert tenant.allowance.path == tenant.path
        for tenant, home in ((one, world.operator), (two, world.operator), (acme, world.rita)):
            if fresh(tenant).parent_id != home.pk:
                move_tenant(root, tenant=fresh(tenant), parent=home)
    assert used(world.acme)["mailboxes"] == 4
    assert used(world.operator)["mailboxes"] == 4
