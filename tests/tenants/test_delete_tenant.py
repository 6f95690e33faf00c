"""A deleted tenant is gone for everybody, comes back as it was, and after its time nothing of it is left."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from accounts.models import User
from accounts.operations import create_api_key, create_user
from audit.models import Event
from domains.models import Domain
from domains.operations import create_domain
from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.operations import suspend_mailbox
from mailhost.models import Job
from mailhost.scope import TenantOwned, every_tenant, subtree, tenant_scope
from tenants import tasks
from tenants.deletion_operations import delete_tenant, purge_tenant, restore_tenant
from tenants.models import Kind, Tenant
from tenants.operations import create_tenant, resume_tenant, suspend_tenant
from tenants.plan_operations import assign_plan, create_plan
from tenants.purge import deletion_order
from tests.apiside import Caller
from tests.tenants.test_reserve import refusal, used
from tests.tenants.test_suspend_tenant import true_flags
from tests.world import PASSWORD, a_mailbox, an_alias, fresh, routes, verified_domain


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    return mailbox


def seen_by_rita(world) -> list[list[str]]:
    with tenant_scope(world.rita.path):
        return [sorted(map(str, model.objects.all())) for model in (Domain, Mailbox, Alias)]


def test_nobody_sees_or_uses_anything_of_it(world, anna):
    _, key = create_api_key(world.as_acme, name="Acme's", scopes=["domains:read"])
    assert Caller(key).call("GET", "/me").status_code == 200

    delete_tenant(world.as_rita, tenant=world.acme)

    assert true_flags(anna) == set()
    assert routes("sales@acme.example") == []
    assert Caller(key).call("GET", "/me").status_code == 401
    assert seen_by_rita(world) == [[], [], []]
    assert used(world.rita) == {"sub_tenants": 1}
    assert list(Job.objects.filter(task__endswith="end_sessions_of_tenant").values_list("arguments", flat=True)) == [
        {"tenant_id": world.acme.pk}
    ]


def test_it_comes_back_as_it_was(world, anna):
    bert = a_mailbox(world.as_acme, "bert@acme.example")
    suspend_mailbox(world.as_acme, mailbox=bert)
    before = true_flags(anna), true_flags(bert), seen_by_rita(world), used(world.rita)

    delete_tenant(world.as_rita, tenant=world.acme)
    restore_tenant(world.as_rita, tenant=world.acme)

    assert (true_flags(anna), true_flags(bert), seen_by_rita(world), used(world.rita)) == before


def test_who_was_deleted_before_stays_deleted(world, anna):
    delete_tenant(world.as_rita, tenant=world.acme)
    delete_tenant(world.as_operator, tenant=world.rita)

    with_above = refusal(restore_tenant, world.as_operator, tenant=fresh(world.bolt))
    below_a_deleted_one = refusal(restore_tenant, world.as_operator, tenant=fresh(world.acme))
    restore_tenant(world.as_operator, tenant=world.rita)

    assert (with_above.code, below_a_deleted_one.code) == ("deleted_above", "deleted_above")
    assert fresh(world.bolt).deleted_at is None
    assert fresh(world.acme).deleted_at is not None
    assert used(world.operator) == {"sub_tenants": 2}


def test_a_suspension_outlives_deletion(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="spam")

    delete_tenant(world.as_rita, tenant=world.acme)
    restore_tenant(world.as_rita, tenant=world.acme)

    assert "may_smtp" not in true_flags(anna)
    resume_tenant(world.as_rita, tenant=fresh(world.acme))
    assert "may_smtp" in true_flags(anna)


def test_it_comes_back_only_while_there_is_room(world, anna):
    delete_tenant(world.as_rita, tenant=world.acme)
    pool = create_plan(world.as_operator, name="Pool", limits={"mailboxes": 0})
    assign_plan(world.as_operator, tenant=world.rita, plan=pool)

    assert refusal(restore_tenant, world.as_rita, tenant=world.acme).code == "limit_reached"
    assert fresh(world.acme).deleted_at is not None


def test_nobody_deletes_themselves_or_others(world):
    other = create_tenant(world.as_operator, parent=world.operator, kind=Kind.RESELLER, name="Other")

    assert refusal(delete_tenant, world.as_rita, tenant=world.rita).code == "own_tenant"
    assert refusal(delete_tenant, world.actor(other), tenant=world.acme).code == "not_found"
    assert refusal(restore_tenant, world.as_rita, tenant=world.acme).code == "not_found"


def test_after_its_time_nothing_is_left_but_the_audit_trail(world, anna, settings):
    verified_domain(world.as_acme, "alias.example", alias_of=anna.domain)
    create_api_key(world.as_acme, name="Acme's", scopes=["domains:read"])
    create_plan(world.as_rita, name="Small")
    create_user(world.as_acme, tenant=world.acme, email="olga@acme.example", role="owner", password=PASSWORD)
    QuotaUsage.objects.create(username="anna@acme.example", bytes=5, messages=1)
    delete_tenant(world.as_rita, tenant=world.acme)

    tasks.purge_deleted()
    kept = Job.objects.filter(task="tenants.tasks.finish_purge").count()
    with every_tenant("time passes"):
        long_ago = timezone.now() - timedelta(days=settings.MAILHOST_GRACE_DAYS, minutes=1)
        Tenant.objects.filter(pk=world.acme.pk).update(deleted_at=long_ago)
    tasks.purge_deleted()
    tasks.purge_deleted()
    begun = list(Job.objects.filter(task="tenants.tasks.finish_purge").values_list("arguments", flat=True))
    tasks.finish_purge(tenant_id=world.acme.pk)
    tasks.finish_purge(tenant_id=world.acme.pk)

    assert (kept, begun) == (0, [{"tenant_id": world.acme.pk}])
    with every_tenant("the test looks for what is left"):
        left = {
            model.__name__: model._base_manager.filter(subtree(model.tenant_path, world.acme.path)).count()
            for model in apps.get_models()
            if issubclass(model, TenantOwned)
        }
        acts = list(Event.objects.filter(action="tenants.purge").values_list("tenant", "object"))
    assert {name for name, count in left.items() if count} == {"Tenant", "Event", "Chain"}
    assert not User.objects.filter(email="olga@acme.example").exists()
    assert not QuotaUsage.objects.filter(username="anna@acme.example").exists()
    assert acts == [(world.acme.pk, "Acme")]
    assert refusal(restore_tenant, world.as_rita, tenant=world.acme).code == "purged"


def test_the_neighbour_keeps_everything(world, anna):
    verified_domain(world.as_bolt, "bolt.example")
    ben = a_mailbox(world.as_bolt, "ben@bolt.example")
    friend = an_alias(world.as_bolt, "friend@bolt.example", "anna@acme.example")[0]
    olga = create_user(world.as_acme, tenant=world.acme, email="olga@acme.example", role="owner", password=PASSWORD)
    with every_tenant("a person belongs to two"):
        type(olga).objects.create(tenant=world.bolt, user=olga.user, role="owner")
    delete_tenant(world.as_rita, tenant=world.acme)

    purge_tenant(world.as_operator, tenant=world.acme)
    tasks.finish_purge(tenant_id=world.acme.pk)

    assert fresh(ben).may_receive
    assert fresh(friend).target_mailbox_id is None
    assert User.objects.filter(email="olga@acme.example").exists()
    assert used(world.rita)["mailboxes"] == 1


def test_its_names_are_free_for_others_afterwards(world, anna):
    delete_tenant(world.as_rita, tenant=world.acme)
    purge_tenant(world.as_operator, tenant=world.acme)
    tasks.finish_purge(tenant_id=world.acme.pk)

    verified_domain(world.as_bolt, "acme.example")
    assert fresh(a_mailbox(world.as_bolt, "anna@acme.example")).may_receive


def test_what_is_not_deleted_is_not_purged(world, anna):
    assert refusal(purge_tenant, world.as_operator, tenant=world.acme).code == "not_found"
    with pytest.raises(RuntimeError, match="not to be purged"):
        tasks.finish_purge(tenant_id=world.acme.pk)
    assert fresh(anna)


def test_every_model_of_tenants_is_purged_in_an_order_that_the_database_allows():
    order = deletion_order()

    for number, model in enumerate(order):
        targets = {field.related_model for field in model._meta.concrete_fields if field.is_relation}
        assert not targets & set(order[:number]), model
    assert {model for model in apps.get_models() if issubclass(model, TenantOwned)} - set(order) == {
        model for model in apps.get_models() if getattr(model, "outlives_tenant", False)
    }


def test_a_name_can_be_claimed_by_others_while_it_waits_and_proven_only_after_the_purge(world, anna):
    delete_tenant(world.as_rita, tenant=world.acme)

    claim = create_domain(world.as_bolt, name="acme.example")

    assert not claim.has_proof
