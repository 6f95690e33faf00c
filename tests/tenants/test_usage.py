"""What tenants use is an index range, agrees with the tables, and is mended and told where it does not."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailboxes.models import QuotaUsage
from mailhost.scope import every_tenant
from tenants import tasks, usage
from tenants.models import Allowance, Kind
from tenants.operations import create_tenant
from tests.tenants.test_reserve import used
from tests.world import a_mailbox, an_alias, fresh, verified_domain


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=300)
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "x@ext.example")
    return mailbox


def test_what_was_counted_agrees_with_the_tables(world, anna):
    before = used(world.operator)

    assert usage.recount() == 0
    assert used(world.operator) == before


def test_what_does_not_agree_is_mended(world, anna):
    before = used(world.acme)
    with every_tenant("somebody writes past the operations"):
        Allowance.objects.filter(pk=world.acme.pk).update(used_mailboxes=7, used_aliases=0, used_storage_mb=-5)
        Allowance.objects.filter(pk=world.rita.pk).update(used_sub_tenants=9)

    assert usage.recount() == 2
    assert used(world.acme) == before
    assert used(world.rita)["sub_tenants"] == 2
    assert usage.recount() == 0


def test_what_dovecot_counted_stands_with_the_tenant_and_all_above(world, anna):
    QuotaUsage.objects.create(username="anna@acme.example", bytes=5000, messages=3)
    QuotaUsage.objects.create(username="nobody@acme.example", bytes=1, messages=1)

    tasks.count_usage()

    for tenant in (world.acme, world.rita, world.operator):
        total = usage.usage_of(fresh(tenant)).total
        assert (total["stored_bytes"], total["stored_messages"]) == (5000, 3)
    assert usage.usage_of(fresh(world.rita)).own["stored_bytes"] == 0


# ANALYZE commits, so nothing of this test is rolled back.
@pytest.mark.django_db(transaction=True)
def test_a_total_is_read_from_one_index_alone(world, anna):
    for number in range(40):
        create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=f"Shop {number}")

    with CaptureQueriesContext(connection) as asked:
        usage.usage_of(fresh(world.rita))
    [total] = [query["sql"] for query in asked if "SUM(`tenants_allowance`" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE tenants_allowance")
        cursor.fetchall()
        cursor.execute(f"EXPLAIN {total}")
        [row] = [dict(zip([column[0] for column in cursor.description], each, strict=True)) for each in cursor]

    # The fixture's read of the tenant, what there is, what was sent.
    assert len(asked) == 3
    assert (row["key"], "Using index" in row["Extra"]) == ("allowance_of_subtree", True)
