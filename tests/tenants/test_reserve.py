"""Limits hold along the tree, whatever is made, and what is deleted is free again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from domains.operations import create_domain, delete_domain
from mailboxes.alias_operations import delete_alias
from mailboxes.operations import delete_mailbox, restore_mailbox, update_mailbox
from mailhost.errors import Refused
from mailhost.scope import every_tenant, tenant_scope
from tenants.limits import COUNTED_NAMES, limit_of, limits_of, reserve, totals
from tenants.models import Allowance, Kind
from tenants.operations import create_tenant
from tests.world import a_mailbox, an_alias, fresh, verified_domain


def allow(tenant, **limits: int | None) -> None:
    """Let a tenant have this much, as its plan would."""
    with every_tenant("a test sets limits"):
        Allowance.objects.filter(pk=tenant.pk).update(**limits)


def used(tenant) -> dict[str, int]:
    """Return what the tenant and everybody below it use of each limit, without what is zero."""
    with every_tenant("a test looks"):
        [found] = totals([fresh(tenant).path])
    return {name: value for name, value in found.items() if value}


@pytest.fixture
def acme(world):
    return verified_domain(world.as_acme, "acme.example")


def refusal(act, *arguments, **named) -> Refused:
    with pytest.raises(Refused) as refused:
        act(*arguments, **named)
    return refused.value


def test_everything_made_is_counted_and_everything_deleted_is_free_again(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=500)
    bert = a_mailbox(world.as_acme, "bert@acme.example", storage_quota_mb=100)
    sales = an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "bert@acme.example")
    an_alias(world.as_acme, "bert@acme.example", "x@ext.example")
    full = used(world.acme)

    update_mailbox(world.as_acme, mailbox=anna, storage_quota_mb=700)
    larger = used(world.acme)
    delete_alias(world.as_acme, alias=sales[0])
    one_target_left = used(world.acme)
    delete_alias(world.as_acme, alias=sales[1])
    delete_mailbox(world.as_acme, mailbox=bert)
    less = used(world.acme)
    restore_mailbox(world.as_acme, mailbox=bert)
    restored = used(world.acme)
    delete_domain(world.as_acme, domain=acme)

    assert full == {"domains": 1, "mailboxes": 2, "storage_mb": 600, "aliases": 2}
    assert larger == full | {"storage_mb": 800}
    assert one_target_left == larger
    assert less == {"domains": 1, "mailboxes": 1, "storage_mb": 700}
    assert restored == {"domains": 1, "mailboxes": 2, "storage_mb": 800}
    assert used(world.acme) == {}


@pytest.mark.parametrize(
    "case",
    [
        ({"domains": 1}, lambda world: create_domain(world.as_acme, name="two.example"), ""),
        ({"mailboxes": 1}, lambda world: a_mailbox(world.as_acme, "bert@acme.example"), ""),
        ({"storage_mb": 199}, lambda world: a_mailbox(world.as_acme, "bert@acme.example"), "storage_quota_mb"),
        ({"aliases": 1}, lambda world: an_alias(world.as_acme, "info@acme.example", "anna@acme.example"), ""),
        ({"aliases": 1}, lambda world: an_alias(world.as_acme, "anna@acme.example", "x@ext.example"), ""),
    ],
    ids=["domain", "mailbox", "storage", "alias", "forward"],
)
@pytest.mark.parametrize("holder", ["acme", "rita", "operator"])
def test_nothing_is_made_beyond_a_limit_on_the_way_up(world, acme, holder, case):
    limit, act, field = case
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    allow(getattr(world, holder), **limit)
    before = used(world.acme)

    refused = refusal(act, world)

    assert (refused.code, refused.field) == ("limit_reached", field)
    assert used(world.acme) == before


def test_a_mailbox_grows_no_further_than_the_limit_and_shrinks_freely(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=500)
    allow(world.acme, storage_mb=400)

    update_mailbox(world.as_acme, mailbox=anna, storage_quota_mb=450)

    assert refusal(update_mailbox, world.as_acme, mailbox=anna, storage_quota_mb=460).code == "limit_reached"
    update_mailbox(world.as_acme, mailbox=anna, storage_quota_mb=400)
    assert used(world.acme)["storage_mb"] == 400


def test_a_deleted_mailbox_comes_back_only_while_there_is_room(world, acme):
    anna = a_mailbox(world.as_acme, "anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=anna)
    allow(world.acme, mailboxes=1)
    a_mailbox(world.as_acme, "bert@acme.example")

    assert refusal(restore_mailbox, world.as_acme, mailbox=fresh(anna)).code == "limit_reached"


def test_customers_of_one_reseller_draw_on_one_pool(world, acme):
    verified_domain(world.as_bolt, "bolt.example")
    allow(world.rita, mailboxes=3)
    allow(world.acme, mailboxes=2)
    for name in ("anna@acme.example", "bert@acme.example"):
        a_mailbox(world.as_acme, name)
    a_mailbox(world.as_bolt, "ben@bolt.example")

    at_own_limit = refusal(a_mailbox, world.as_acme, "carl@acme.example")
    at_the_pool = refusal(a_mailbox, world.as_bolt, "bob@bolt.example")

    assert at_own_limit.message.startswith("Acme may have 2 mailboxes: 2 are in use")
    assert at_the_pool.code == "limit_reached"


def test_the_holder_of_a_limit_and_its_use_are_named_to_who_may_know_them(world, acme):
    verified_domain(world.as_bolt, "bolt.example")
    allow(world.rita, mailboxes=3)
    for name in ("anna", "bert", "carl"):
        a_mailbox(world.as_acme, f"{name}@acme.example")

    told_to_bolt = refusal(a_mailbox, world.as_bolt, "ben@bolt.example").message
    told_to_rita = refusal(a_mailbox, world.as_rita, "ben@bolt.example").message
    allow(world.acme, mailboxes=3)
    allow(world.rita, mailboxes=None)
    told_to_acme = refusal(a_mailbox, world.as_acme, "dora@acme.example").message

    assert told_to_bolt == (
        "The account that provides yours has too few mailboxes left: you use 0 and asked for 1 more. "
        "Delete some, or ask your provider for more."
    )
    assert told_to_rita == (
        "Rita may have 3 mailboxes together with the accounts below it: 3 are in use, 1 more were asked for. "
        "Delete some, or choose a larger plan."
    )
    assert told_to_acme == (
        "Acme may have 3 mailboxes: 3 are in use, 1 more were asked for. Delete some, or choose a larger plan."
    )


def test_accounts_below_are_limited_at_every_depth(world):
    allow(world.operator, sub_tenants=4)
    allow(world.rita, sub_tenants=3)
    create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name="Corvo")

    for parent in (world.rita, world.operator):
        with pytest.raises(Refused) as refused:
            create_tenant(world.as_operator, parent=parent, kind=Kind.CUSTOMER, name="Dora")
        assert refused.value.code == "limit_reached"
    assert used(world.operator) == {"sub_tenants": 4}


def test_the_limit_that_holds_is_the_least_on_the_way_up(world):
    allow(world.operator, messages_per_hour=900, api_requests_per_minute=60)
    allow(world.rita, messages_per_hour=500)
    allow(world.acme, messages_per_hour=800)

    acme = fresh(world.acme)
    with CaptureQueriesContext(connection) as asked:
        held = (limit_of(acme, "messages_per_hour"), limit_of(acme, "api_requests_per_minute"))
        free = limit_of(acme, "mailboxes")

    assert (held, free) == ((500, 60), None)
    assert len(asked) == 1
    assert set(limits_of(acme)) > set(COUNTED_NAMES)


@pytest.mark.parametrize(("limited", "statements"), [((), 2), (("acme",), 2), (("acme", "rita", "operator"), 3)])
def test_a_reservation_costs_the_same_few_statements_however_many_tenants_there_are(world, limited, statements):
    def count() -> int:
        with tenant_scope(world.acme.path), CaptureQueriesContext(connection) as asked:
            reserve(world.acme.path, mailboxes=1, storage_mb=10)
        return len(asked)

    for name in limited:
        allow(getattr(world, name), mailboxes=1000, storage_mb=100_000)
    few = count()
    for number in range(30):
        create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name=f"Shop {number}")

    assert (few, count()) == (statements, statements)
