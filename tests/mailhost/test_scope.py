"""Whoever forgets the tenant fails loudly, and a subtree is one range of an index."""

import pytest
from django.apps import apps
from django.db import connection

from mailhost.scope import NoScope, TenantOwned, every_tenant, tenant_scope
from tenants.models import Member, Tenant
from tests.routes.cast import a_member
from tests.world import world  # noqa: F401 - a fixture

OWNED = sorted((model for model in apps.get_models() if issubclass(model, TenantOwned)), key=str)
ACTS = {
    "read": lambda rows: rows.first(),
    "count": lambda rows: rows.count(),
    "filter": lambda rows: list(rows.filter(pk=1)),
    "change": lambda rows: rows.filter(pk=1).update(pk=1),
    "delete": lambda rows: rows.filter(pk=1).delete(),
    "create": lambda rows: rows.create(),
    "bulk": lambda rows: rows.bulk_create([]),
}


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
def test_a_query_outside_of_every_tenant_is_refused(model, subtests):
    # Without a database: it is refused before anything is asked.
    for name, act in ACTS.items():
        with subtests.test(name), pytest.raises(NoScope, match="tenant_scope"):
            act(model.objects)


def test_so_is_what_leads_from_one_row_to_others(world):  # noqa: F811
    with pytest.raises(NoScope):
        list(world.acme.members.all())


def test_a_scope_that_is_none_is_refused():
    for path in ("", "/", "1", "/1", "5/"):
        with pytest.raises(ValueError, match="not the path of a tenant"):
            tenant_scope(path)
    with pytest.raises(ValueError, match="reason"):
        every_tenant("")


def test_a_scope_shows_its_subtree_and_ends(world):  # noqa: F811
    for tenant in (world.acme, world.bolt):
        a_member(tenant, "owner")
    with tenant_scope(world.rita.path):
        assert set(Tenant.objects.values_list("name", flat=True)) == {"Rita", "Acme", "Bolt"}
        with tenant_scope(world.acme.path):
            assert [member.tenant_id for member in Member.objects.all()] == [world.acme.pk]
        assert Member.objects.count() == 2
    with pytest.raises(NoScope):
        Tenant.objects.count()


# ANALYZE commits, so nothing of this test is rolled back.
@pytest.mark.django_db(transaction=True)
def test_a_subtree_is_a_range_of_one_index_at_any_depth():
    with every_tenant("a test plants a forest"):
        root = Tenant.objects.create(name="Root", kind="operator", path="/1/")
        for number in range(2, 302):
            Tenant.objects.create(name=f"T{number}", kind="reseller", parent=root, path=f"/1/{number % 30}/{number}/")
    with tenant_scope("/1/7/"):
        statement, values = Tenant.objects.order_by("path").values_list("path").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE tenants_tenant")
        cursor.execute(f"EXPLAIN {statement}", values)
        names = [column[0] for column in cursor.description]
        [row] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    assert (row["type"], row["key"], int(row["rows"])) == ("range", "path", 10)
